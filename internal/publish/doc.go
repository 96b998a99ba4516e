// Package publish keeps Slack in step with the store: each run's message, and the trail in the
// audit channel. It compares stored revisions with posted ones, so nothing is lost with a
// process.
package publish
