// Package wire observes what every answer of Slack's Web API shows: whether Slack accepts the
// token, the token's scopes, and Slack's time.
package wire
