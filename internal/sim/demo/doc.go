// Package demo is the whole bot against a local Slack, simulated hosts and an
// embedded store, and the player of scripts that checks a story against it.
//
// # Files
//
//   - demo.go, fleet.go: the demo
//   - script.go: parsing a story
//   - play.go, slack.go: playing a story
package demo
