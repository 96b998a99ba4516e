// Package membership decides whether a person at the terminal is still a member of the
// organisation. A key proves who they are; only Slack knows whether they still belong to it, so
// the package queries Slack whenever it answers. While Slack does not answer it uses Slack's
// last answer, for at most a day.
package membership
