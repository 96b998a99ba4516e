// Package guard queries the guards of a plan. A guard is a read that can refuse the plan because of
// the state of a target. AtRequest queries all guards, before an approver is mentioned. AtStart
// queries only the guards after the first change of the plan; the engine queries the earlier guards
// itself.
package guard
