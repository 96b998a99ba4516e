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
//
// # Files
//
//   - card.go: the parts of a card, such as spans, elements, buttons, questions before a tap,
//     forms
//   - text.go: a card as plain text
//   - facts.go: a card as data for programs, with its JSON keys
//   - phrase.go: phrases that several cards use, such as durations, counts, names and
//     shortened lists; the length of a push text
//   - severity.go: the sign and the words of a severity
//   - tap.go: the names of taps, and how many buttons a question has
//   - next.go: buttons for the likely next command: a change, logs, dependencies, a watch
//   - question.go: answers to a text that is not a command, words that a read ignored,
//     refusals
//   - late.go, missed.go: commands that came too late, or may not have arrived; the message of
//     the round trip
//   - refused.go, stopped.go: a config that was refused, a replica that makes no changes
//   - ask.go: the form for typing a command
//   - askedby.go, absent.go: who asked, and which of the mentioned people are away
//   - help.go: the cards of help: the list, one command, one process
//   - health.go, people.go: the cards of health and people
package card
