// Package app connects all packages into the running bot. It gets its clients (Slack, SSH,
// store) as values, so tests and the demo run the same program as `bot run`.
//
// # Files
//
//   - open.go: options, a config as settings of the packages, and opening store and pool
//   - build.go: construction
//   - app.go: the clients as interfaces; the order in which the parts start and stop
//   - reload.go, refused.go: a new config, and what is posted when it is refused
//   - admin.go: bot health and the admin socket
//   - home.go: when the Home tab is updated
//   - cards.go: the message of a run with people who are away; a request that no channel
//     accepts
//   - resume.go: the work of the leader; deliveries that were not finished
//   - roundtrip.go, hearing.go: whether events arrive; how often this is checked, which gap is
//     posted
//   - peers.go: whether replicas agree, how far their clocks may differ
//   - remind.go, escalate.go: wiring of reminders (times: internal/engine/remind.go) and of
//     escalation (times: internal/config/escalation.go)
//   - shell.go: commands in a shell
//   - observed.go, snapshot.go: what the metrics count, and the state at a scrape
//   - tokens.go, stopped.go, knownhosts.go: warnings about a refused token, stopped changes,
//     hosts without a key
//   - unshared.go: no incidents in channels that are shared with another organisation
//   - memory.go: memory that is returned to the system after a peak
package app
