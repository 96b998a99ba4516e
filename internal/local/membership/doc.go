// Package membership decides whether a person at the terminal is still a member of the
// organisation. A key proves who the person is, but only Slack knows whether the
// person still belongs to the organisation. So the package queries Slack whenever
// Slack answers. While Slack does not answer, it uses Slack's last answer, for at most
// a day.
package membership
