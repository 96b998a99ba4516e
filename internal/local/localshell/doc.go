// Package localshell serves people in a shell on the bot's own machine, for times when Slack is
// down. Over a local socket a person requests a challenge for a command, signs both with a key
// in the config, and gets a stream of events until the command ends. The gate for commands is
// the same as in Slack.
//
// # Files
//
//   - protocol.go: requests, events, limits of size and time, what is signed and how long a
//     person has to sign it
//   - challenges.go: challenges: how they are made, and used once
//   - server.go: whose proof is accepted, commands of one person at a time, records of failed
//     proofs
//   - session.go: one command: its time limits, how its run is followed, how a button is shown
//     as a command
//   - proposals.go: the plan that a person was shown
//   - client.go: the client of `bot do`, and what it reports when the bot does not answer
package localshell
