// Package planner resolves an action of a catalog against the fleet into a plan:
// which hosts, in which order, with which exact command on each. The same inputs,
// catalogs and fleet always give the same plan. It also lists every command that a
// catalog can send to a host, for the sudoers file, and makes the reads by which
// status queries a host as a whole. The package is pure.
//
// # Files
//
//   - planner.go, expand.go: an action to steps
//   - several.go: several processes in one plan
//   - listed.go: answers of discovery reads
//   - hostcommands.go: every command that a host can be sent
//   - hostreads.go: reads of a whole host
package planner
