// Command bot is dhbot: a Slack bot that runs Deephaven's runbooks.
//
// Its exit codes are in exit.go.
//
// # Files
//
//   - main.go: the list of subcommands
//   - run.go: bot run, health; which config file is read
//   - do.go: bot do
//   - output.go: output formats
//   - exit.go: exit codes and misuse
//   - check.go: bot check
//   - init.go, discover.go, hostkeys.go: setting up: bot init, discover, hostkeys
//   - plan.go, runbook.go: bot plan, catalog, runbook
//   - audit.go, auditreport.go, auditverify.go: bot audit
//   - state.go, statekey.go: bot state
//   - sudoers.go: bot sudoers
//   - manifest.go: bot manifest
//   - demo.go, simulators.go: bot demo, localslack, hostsim
//   - version.go: bot version, schema
package main
