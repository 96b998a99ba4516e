// Package blockkit renders cards as Block Kit and mrkdwn within Slack's limits.
// Text of a card never becomes a mention, a link or a format: everything is
// escaped here, and what does not fit is cut with a mark. The package is pure.
package blockkit
