// Package runcard renders a run: the plan that is asked about, the request that
// waits for approvals, live steps, the outcome, details, locks, and reminders. A
// card is made from the stored run alone, so the same run always gives the same
// card. The package is pure.
package runcard
