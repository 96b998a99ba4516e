// Package runbooks defines a plan, which has the steps of one action on certain hosts. Each step
// has a command, a time-out and a check. A plan also has a severity, a class, and a digest. People
// approve the digest. The package also answers questions about a plan that need no catalog: what it
// stops, how long an approval lasts, whether it can be continued, and how two plans differ.
//
// The packages below this one make plans:
//
//   - catalogs: processes and procedures, read from YAML
//   - planner: an action of a catalog, resolved against the fleet
//
// The package does no I/O.
//
// # Files
//
//   - plan.go: plans, steps, classes, conditions; when approving requires the typed name
//   - severity.go: severities, and which is worse
//   - digest.go: the content that an approval covers
//   - validity.go: how long an approval lasts
//   - continue.go: the rest of a plan
//   - differ.go: how two plans differ
//   - guards.go: reads that can refuse a plan
//   - planview.go: bot plan
//   - quote.go, wrap.go: command lines
//   - errors.go: errors of planning
package runbooks
