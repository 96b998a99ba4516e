// Package localshell serves people in a shell on the bot's own machine, for times when Slack is
// down. Over a local socket a person requests a challenge for a command. The person signs the
// challenge and the command; the config has the public key. Then the bot sends a stream of events
// until the command ends. The gate for commands is the same as in Slack.
//
// # Files
//
//   - protocol.go: requests, events, limits of size and time, the signed bytes and the time for signing
//   - challenges.go: making challenges, and using each only once
//   - server.go: whose proof is accepted, commands of one person at a time, records of failed
//     proofs
//   - session.go: the handling of one command: time limits, following a run, buttons shown as commands
//   - proposals.go: the plan that a person was shown
//   - client.go: the client of `bot do`, and its errors when the bot does not answer
package localshell
