// Package liveness checks whether the bot's own loops still run. It ignores Slack, hosts and
// the store: a bot that cannot reach them is not ready, but restarting it would not help, and
// would interrupt its work.
package liveness
