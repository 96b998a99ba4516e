// Package handlers answers messages. A message is parsed into a call, the gate decides about
// the call, and the handler of its verb executes it and answers with a card. The package is
// independent of Slack.
//
// gate.go decides, actions.go has the handler of each verb. Requests for changes and their
// approvals are handled here (request.go, propose.go, votes.go, again.go, guards.go, needs.go).
// Packages below this one have the rest:
//
//   - call: one request, and the dependencies of every handler
//   - incidents: incidents, maintenance, watches
//   - reads: status, output, logs, the audit trail, lists
package handlers
