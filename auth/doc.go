// Package auth decides who may do what: people, roles, policy, and whether a vote counts. It is
// pure: it gets the data about a person as an argument, and allows nothing without a rule.
//
// # Files
//
//   - rules.go: every decision, and the sentence of its refusal
//   - policy.go: votes that a class and severity need, and the floors
//   - refusal.go: refusals by the access rules, and their codes
//   - call.go: the order in which approvers are asked
//   - auth.go: accounts and people
package auth
