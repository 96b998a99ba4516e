// Package call handles one request: the message, the parsed command, its author and the
// outcome. Base has what every handler uses: the settings and dependencies of the service, the
// identity of a person, the names that they may read, discovery before a plan, and proposals
// that wait for their requester.
//
// # Files
//
//   - message.go: the message and the reply
//   - call.go: the request
//   - base.go: settings and their defaults, dependencies of a process (NeededBy)
//   - identify.go: the author of a message
//   - sees.go: what a person may read
//   - discover.go: discovery reads before a plan
//   - proposal.go: changes that wait for their requester
//   - calling.go: the people that a request mentions
//   - errors.go: refusals
//   - words.go: parsing durations
package call
