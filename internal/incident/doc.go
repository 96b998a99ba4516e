// Package incident decides from repeated checks of the same targets when to post a change, what
// is flapping, when a problem is over, and which changes are one incident. It is pure: it gets
// observations and times as arguments, and makes no calls. Only its interface Keeper describes
// where its state is stored.
//
// # Files
//
//   - track.go: a check to changes: flapping, begin and end of an incident
//   - cluster.go: the incidents of a cluster
//   - handling.go: owner, mute, notes
//   - follow.go: watches
//   - form.go: stored forms
package incident
