// Package slackio is the Slack edge: sockets, acks, the rendering of cards as
// Block Kit, posting within Slack's limits, files, and people's identities. It is
// the one production importer of slack-go.
package slackio

import "context"

// Claims makes a delivery durable before it is acked, and tells a redelivery
// from a second honest tap.
type Claims interface {
	// Claim stores the payload under key unless the key is there; first says
	// that this call stored it. An error means that nothing is promised.
	Claim(ctx context.Context, key string, payload []byte) (first bool, err error)
	// Settle marks a claimed delivery as handled.
	Settle(ctx context.Context, key string) error
}
