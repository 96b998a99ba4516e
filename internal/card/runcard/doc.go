// Package runcard renders runs: the plan, the request that waits for approvals, live steps, the
// outcome, details, locks, and reminders. A card is made from the stored run alone, so the same
// run always gives the same card. The package is pure.
//
// # Files
//
//   - run.go: the card of a run
//   - request.go: a waiting request in one line
//   - plan.go: plans, what would run, and their buttons
//   - steps.go: live steps
//   - buttons.go: the buttons on the card of a run, and their questions
//   - details.go: details in pages, and their buttons
//   - calling.go: reminders, and the end of an approval
//   - askagain.go: a new request after expiry
//   - restored.go: mentions of the requester
//   - elsewhere.go: answers about a run whose message is in another channel
//   - locks.go: locks
//   - byhand.go: what a person did by hand
//   - runfacts.go: a run as data
package runcard
