// Package rate keeps calls to Slack within its rate limits: a limiter with priorities for each
// channel, and the queue of edits. In the queue, a later edit of a message replaces a waiting
// edit of the same message.
//
// # Files
//
//   - settings.go: the rates: posts in a channel, edits in the workspace
//   - limiter.go: posts of one channel by priority, and the pause after a 429
//   - edits.go: the queue of edits: which is next, which replaces another
package rate
