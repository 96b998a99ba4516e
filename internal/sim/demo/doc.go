// Package demo is the whole bot against a local Slack, simulated hosts and an
// embedded store, and the player of scripts that checks a story against it.
package demo
