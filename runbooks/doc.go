// Package runbooks defines a plan: the ordered steps of one action on exact hosts,
// with the command of each step, its time-out and its check, the severity and the
// class of the whole, and the digest that an approval covers. It also holds what
// can be said about a plan without its catalog: what it takes down, how long an
// approval of it lasts, whether it can be continued, and how two plans differ.
//
// Plans are made below this package:
//
//   - catalogs: processes and procedures, read from YAML
//   - planner: an action of a catalog, resolved against the fleet
//
// The package is pure.
package runbooks
