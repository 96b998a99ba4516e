// Package cardtest has an example of every card that the bot shows, for tests of the cards'
// wording, rendering and drawing.
//
// # Files
//
//   - cardtest.go: the list of all samples, their time, the forms
//   - runs.go: runs: requests, steps, ends, reminders, details
//   - status.go: processes, hosts and clusters
//   - watch.go, handling.go, windows.go: incidents and watches, owners and mutes, maintenance
//   - words.go: questions, refusals, help, people, locks, the trail
//   - hides.go: a check that a status card hides no row
package cardtest
