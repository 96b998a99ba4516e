// Package monitor runs on the leader. It checks clusters with background monitoring, and posts
// their incidents in a channel. It also runs the watches that people begin. It stores its state
// before it posts, so that the next leader can continue. A message is posted at least once. If a
// crash or an error leaves it unknown whether the message exists, it is posted again. The message
// of an incident or watch then says that there may be an older copy.
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
