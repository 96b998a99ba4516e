// Package card is the model of everything that people read: a Card has a push text, a head, a
// body, buttons and a footer, as spans of plain characters. It is independent of the platform:
// slackio renders a card as Block Kit, the terminal as text. Text is never markup, so a
// renderer must not turn plain text into a mention, a link or a format. The package is pure.
//
// It also has the phrases, severity signs and buttons that cards share, and short notices that
// belong to no subject. The cards of each subject are in packages below it:
//
//   - statuscard: processes, hosts, clusters
//   - runcard: runs, from the plan to the outcome
//   - incidentcard: incidents, escalation, maintenance, watches
//   - outputcard: output of hosts
//   - trailcard: the audit trail
package card
