// Package guard queries the guards of a plan. A guard is a read that can refuse the plan because of
// the state of a target. AtRequest queries all guards, before an approver is mentioned. AtStart
// queries only the guards after the plan's first change. The engine queries the earlier guards
// itself.
package guard
