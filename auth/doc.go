// Package auth decides who may do what: people, roles, policy, and whether a vote counts. It is
// pure: callers pass the data about a person. It refuses everything that no rule allows.
//
// # Files
//
//   - rules.go: who a person is, who may request and approve, and the sentence of each refusal
//   - policy.go: how many votes a class and severity need, and the floors that no setting
//     lowers
//   - refusal.go: the codes of refusals
//   - call.go: the order in which approvers are mentioned
//   - auth.go: accounts, people and roles
package auth
