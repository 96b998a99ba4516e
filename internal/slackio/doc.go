// Package slackio is the Slack client: sockets, acknowledgements, rendering of cards as Block Kit,
// posting within Slack's rate limits, files, and people's identities. It is the only production
// importer of slack-go.
//
// # Files
//
//   - edge.go: construction
//   - socket.go, endreason.go, silence.go, health.go: connections
//   - intake.go, claims.go, fair.go: taking deliveries: claims, acks, limits
//   - delivery.go: decoding deliveries
//   - reply.go: answers
//   - messenger.go, permalink.go: posting and editing
//   - people.go, presence.go: who people are, who is away
//   - home.go: the Home tab
//   - roundtrip.go, clock.go, slowed.go: whether Slack is heard, and in time
//   - tokens.go, check.go, errors.go: tokens and errors
//   - limits.go: budgets and time-outs
//   - observe.go: metrics of calls
package slackio
