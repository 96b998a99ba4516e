// Package membership decides whether a person at the terminal is still a member of the
// organisation. A key proves who the person is, but only Slack knows whether the
// person still belongs to the organisation. So the package queries Slack whenever
// Slack answers. While Slack does not answer, it uses Slack's last answer. A change
// requires that Slack confirmed the membership within the last day. For a read there is
// no such limit.
package membership
