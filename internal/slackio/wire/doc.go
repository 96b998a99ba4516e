// Package wire reads from every answer of Slack's Web API whether Slack accepts the token, which
// scopes the token has, and what time it is at Slack.
package wire
