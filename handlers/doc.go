// Package handlers answers messages. It parses a message into a call, and the gate
// allows or refuses the call. The handler of the verb then executes the call and
// answers with a card. The package is independent of Slack.
//
// Requests for changes and their approvals are here. The packages below this one have the
// rest:
//
//   - call: one request, and the dependencies of every handler
//   - incidents: incidents, maintenance, watches
//   - reads: status, output, logs, the audit trail, lists
//
// # Files
//
//   - service.go: handles a message up to its answer; the reply to every error, which
//     refusals are recorded, the time limit of an answer
//   - actions.go: the handler of each verb
//   - gate.go: the checks that every command passes: who may use which verb on a run
//     (runRules), the channel, the command's age, the replica's config. The checks are
//     repeated before each step of a run
//   - request.go: how a change becomes a stored run, or is refused
//   - propose.go: changes that are shown with a Run button first
//   - votes.go: what a tap on a button of a run does; approve, deny, withdraw, cancel, done,
//     close; when approving requires the typed name
//   - looking.go, byhand.go, continue.go, details.go: the verbs of these names
//   - ask.go: the open runs to choose from, for a command that names no run
//   - again.go: what happens if the same change is already open or has just succeeded, and
//     how long after a success the same command needs a confirmation
//   - needs.go: refuses a start while a dependency is down, and how long it waits for the
//     dependencies' state
//   - guards.go: reads that can refuse a request, at the request and before the start; the
//     additional approval if a guard cannot decide
//   - lasttime.go: the comparison with the previous run, how many runs it searches, how many
//     differences it shows
//   - plan.go, callplan.go: `plan` in Slack, with the obstacles; the plan for `bot plan`
//   - help.go: help: which commands come first, what each requires
//   - home.go: what the Home tab shows, how many requests have buttons, how long hosts may
//     take
//   - talk.go: which messages in a conversation are answered, and with what
//   - shortcut.go: the window of a shortcut
//   - terminal.go: commands in a shell, and the channel in which their runs are posted
//   - looker.go: what the monitor calls: a query of hosts, and whether a person may still
//     read what they watch
package handlers
