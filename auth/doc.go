// Package auth decides who may do what: people, roles, policy, and whether a vote counts. It is
// pure: it gets the data about a person as an argument, and allows nothing without a rule.
package auth
