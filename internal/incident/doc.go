// Package incident decides from repeated checks of the same targets when to post a change, what
// is flapping, when a problem is over, and which changes are one incident. It is pure: it gets
// observations and times as arguments, and makes no calls. Only its interface Keeper describes
// where its state is stored.
//
// # Files
//
//   - track.go: when a change is posted, what is flapping, when a problem begins and is over
//     (DefaultRules)
//   - cluster.go: the incidents of a cluster, and which changes are one incident
//   - handling.go: owner, mute, notes; how long a mute may be
//   - follow.go: watches, how long they last, how many there can be
//   - form.go: stored forms
package incident
