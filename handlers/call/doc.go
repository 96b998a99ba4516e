// Package call is one request being handled: the message that it came in, what was
// understood of it, who sent it and what became of it. Base is what every handler
// works with: the settings and dependencies of the service, the identity of a
// person, the names that they may read, discovery before a plan, and proposals
// that wait for their requester.
//
// # Files
//
//   - message.go: the message and the reply
//   - call.go: the request
//   - base.go: settings and dependencies
//   - identify.go: who wrote a message
//   - sees.go: what a person may read
//   - discover.go: discovery reads before a plan
//   - proposal.go: changes that wait for their requester
//   - calling.go: whom a request calls
//   - errors.go: refusals
//   - words.go: small readings
package call
