// Package blockkit renders cards as Block Kit and mrkdwn within Slack's limits. The text of a card
// never becomes a mention, a link or a format, because it is either in elements that Slack does not
// parse, or escaped. Text that does not fit is cut, and the cut is marked. The package is pure.
//
// # Files
//
//   - render.go: a message, its parts, and how long output and tables are cut
//   - spans.go: texts, mentions, links and times
//   - buttons.go: buttons, and how many fit
//   - form.go: windows and their inputs
//   - escape.go: characters that Slack would read as a format
//   - meter.go: the space that is left in a message
//   - blocklimits.go: Slack's limits of lengths and numbers
package blockkit
