// Command bot is dhbot: a Slack bot that runs Deephaven's runbooks.
//
// Its exit codes are in exit.go.
package main
