// Package planner resolves an action of a catalog against the fleet into a plan:
// which hosts, in which order, with which exact command on each. The same inputs,
// catalogs and fleet always give the same plan. It also lists every command that a
// catalog can send to a host, for the sudoers file, and makes the reads by which
// status queries a host as a whole. The package is pure.
package planner
