package slackio

import "context"

// Claims stores a delivery before it is acknowledged, and distinguishes a redelivery from a second
// tap.
type Claims interface {
	// Claim stores the payload under key unless the key exists; first reports whether this call
	// stored it. After an error the payload may or may not be stored.
	Claim(ctx context.Context, key string, payload []byte) (first bool, err error)
	// Settle marks a claimed delivery as handled.
	Settle(ctx context.Context, key string) error
}
