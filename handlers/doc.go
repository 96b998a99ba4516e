// Package handlers answers messages. It parses a message into a call, and the gate
// allows or refuses the call. The handler of the verb then executes the call and
// answers with a card. The package is independent of Slack.
//
// gate.go has the gate, actions.go the handler of each verb. Requests for changes and
// their approvals are in request.go, propose.go, votes.go, again.go, guards.go and
// needs.go. The packages below this one have the rest:
//
//   - call: one request, and the dependencies of every handler
//   - incidents: incidents, maintenance, watches
//   - reads: status, output, logs, the audit trail, lists
package handlers
