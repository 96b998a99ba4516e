// Package incident decides from repeated checks of the same targets when to post a change, what
// is flapping, when a problem is over, and which changes are one incident. It is pure: it gets
// observations and times as arguments, and makes no calls. Only its interface Keeper describes
// where its state is stored.
package incident
