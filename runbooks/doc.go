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
//
// # Files
//
//   - plan.go: plans, steps, classes, conditions
//   - severity.go: severities
//   - digest.go: what an approval covers
//   - validity.go: how long an approval lasts
//   - continue.go: the rest of a plan
//   - differ.go: how two plans differ
//   - guards.go: reads that can refuse a plan
//   - planview.go: bot plan
//   - quote.go, wrap.go: command lines
//   - errors.go: errors of planning
package runbooks
