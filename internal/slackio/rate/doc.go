// Package rate keeps calls to Slack within its rate limits: a limiter for each
// channel with priorities, and the queue of edits, in which a later edit of a
// message replaces an earlier one.
package rate
