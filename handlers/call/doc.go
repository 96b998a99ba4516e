// Package call is one request being handled: the message that it came in, what was
// understood of it, who sent it and what became of it. Base is what every handler
// works with: the settings and dependencies of the service, the identity of a
// person, the names that they may read, discovery before a plan, and proposals
// that wait for their requester.
package call
