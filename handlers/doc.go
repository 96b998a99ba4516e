// Package handlers answers messages. A message is parsed into a call, the gate
// decides about the call, and the handler of its verb carries it out and answers
// with a card. It knows no chat platform.
//
// gate.go decides, actions.go has the handler of each verb. Requests for changes
// and approvals of them are handled here (request.go, propose.go, votes.go,
// again.go, guards.go, needs.go). Packages below this one hold the rest:
//
//   - call: one request being handled, and what every handler works with
//   - incidents: incidents, maintenance, watches
//   - reads: status, output, logs, the audit trail, lists
package handlers
