// Package incident evaluates repeated checks of the same targets. It decides when to post a change,
// which targets flap, when a problem is over, and which changes form one incident. It gets the
// results and times of the checks as arguments, and makes no calls except to a Keeper, which stores
// its state.
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
