// Package call handles one request: the message, the parsed command, its author and the
// outcome. Base has what every handler uses: the settings and dependencies of the service, the
// identity of a person, the names that they may read, discovery before a plan, and proposals
// that wait for their requester.
//
// # Files
//
//   - message.go: the message, its sources, and the reply
//   - call.go: the request; which changes need a confirmation (MustConfirm)
//   - base.go: settings and their defaults, the longest reason, dependencies of a process
//     (NeededBy)
//   - identify.go: the author of a message, and how old an answer about them may be
//   - sees.go: what a person may read
//   - discover.go: discovery reads before a plan, and again before the start
//   - proposal.go: changes that wait for their requester, and for how long
//   - calling.go: whether enough people could approve; whom a request and its reminders
//     mention
//   - errors.go: the codes of the handlers' refusals; errors that are answered in another way
//   - words.go: parsing durations, the requester's name on an answer
package call
