// Package manifest makes the Slack app's manifest: scopes, events, commands and
// shortcuts.
package manifest
