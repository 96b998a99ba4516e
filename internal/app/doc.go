// Package app connects all packages into the running bot. It gets its clients (Slack, SSH,
// store) as values, so tests and the demo run the same program as `bot run`.
//
// # Files
//
//   - open.go: options, and opening store and pool
//   - build.go: construction
//   - app.go, reload.go, refused.go: running, and a new config
//   - admin.go: bot health and the admin socket
//   - home.go: the Home tab: when it is updated
//   - cards.go: the first card of a run
//   - resume.go: deliveries that were not finished
//   - roundtrip.go, hearing.go: whether Slack is heard
//   - peers.go: whether replicas agree
//   - remind.go, escalate.go: reminders and escalation
//   - shell.go: commands in a shell
//   - observed.go, snapshot.go: metrics
//   - tokens.go, stopped.go, knownhosts.go: warnings
//   - memory.go: memory that is returned to the system after a peak
package app
