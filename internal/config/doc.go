// Package config reads the one config file, and the secrets, which are never in it, and checks them
// against the catalogs. It reports all problems at once, each with its line and what to write
// instead. The commented example is config.example.yaml at the top of the repository.
//
// # Files
//
//   - keys.go: every key, with its default and its text for docs/config.md
//   - config.go: defaults of the policy: how long a request waits for approvals
//     (policy.sev1.ttl), how many votes
//   - cluster.go: clusters, hosts, schedules
//   - slack.go: the workspace and people
//   - ssh.go, route.go: logins, jump hosts, algorithms
//   - escalation.go, call.go: who is notified when no one acts
//   - watch.go: monitoring and incidents
//   - state.go: the state store
//   - terminal.go: commands in a shell
//   - metrics.go: the metrics listener
//   - runbooks.go, lowered.go: runbooks of your own; severities that
//     such runbooks lower
//   - load.go: files and secrets that the config names
//   - schema.go: the JSON Schema
package config
