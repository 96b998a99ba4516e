// Package slackio is the Slack client: sockets, acknowledgements, rendering of cards as Block Kit,
// posting within Slack's rate limits, files, and people's identities. It is the only production
// importer of slack-go.
//
// # Files
//
//   - edge.go: construction, start and stop
//   - socket.go, endreason.go, silence.go, health.go: connections: reconnecting, why they end,
//     their health
//   - intake.go, claims.go: taking deliveries: claims, acks, the texts for what is not
//     accepted
//   - fair.go: limits of the reads of one person, with their texts, and of accounts that are
//     not in the config
//   - delivery.go: decoding deliveries
//   - reply.go: answers
//   - messenger.go, permalink.go: posting and editing
//   - people.go, presence.go: who people are, who is away
//   - home.go: the Home tab
//   - roundtrip.go: the reaction that shows whether events arrive; replacing every connection
//   - slowed.go, clock.go: the texts about a pause that Slack requests and about a wrong clock;
//     which pauses are announced
//   - tokens.go, check.go, errors.go: refused tokens, the checks of bot check --live, Slack's
//     errors
//   - limits.go: time limits of deliveries, calls and silent connections
//   - observe.go: metrics of calls
package slackio
