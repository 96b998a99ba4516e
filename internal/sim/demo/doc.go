// Package demo runs the whole bot with a local Slack, simulated hosts and an
// embedded store. It plays scripts that check the bot.
//
// # Files
//
//   - demo.go, fleet.go: the demo
//   - script.go: parsing a story
//   - play.go, slack.go: playing a story
package demo
