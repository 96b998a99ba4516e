// Package monitor checks targets on the leader: clusters with background monitoring, whose
// incidents it posts in a channel, and watches of people. It stores its state before it posts, so
// that the next leader continues from it. A message is posted at least once; a possible duplicate
// says that it may be one.
//
// # Files
//
//   - monitor.go: intervals of checks, and time limits
//   - background.go: checks of clusters, and their incidents
//   - follow.go: watches of people, and how old their message may be
//   - post.go: messages
//   - handling.go: owners, mutes and notes
//   - lastword.go: edits that a paused leader makes late, and how long ended incidents are kept
//     for them
package monitor
