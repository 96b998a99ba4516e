// Package card is the model of everything that people read: a Card has a push
// text, a head, a body, buttons and small print, as spans of plain characters.
// It is free of any platform: slackio renders a card as Block Kit, the terminal
// as text. Text is never markup here, so a renderer that lets a mention, a link
// or a format through from plain text is wrong. The package is pure.
//
// It also holds the phrases, severity signs and buttons that cards share, and
// the short notices that belong to no subject. The cards of each subject are in
// packages below it:
//
//   - statuscard: processes, hosts, clusters
//   - runcard: runs, from the plan to the outcome
//   - incidentcard: incidents, escalation, maintenance, watches
//   - outputcard: output of hosts
//   - trailcard: the audit trail
package card
