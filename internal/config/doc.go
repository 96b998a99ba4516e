// Package config reads the config file, and the secrets from outside that file, and checks them
// against the catalogs. It reports all problems at once, each with its line and what to write
// instead. The commented example is config.example.yaml at the top of the repository.
//
// # Files
//
//   - keys.go: every key, with the default and the text that docs/config.md shows
//   - config.go: defaults of the policy: how long a request waits for approvals
//     (policy.sev1.ttl), how many votes
//   - cluster.go: clusters, hosts, schedules, roles
//   - slack.go: the workspace and people
//   - ssh.go, route.go: logins, jump hosts, algorithms
//   - escalation.go: who is notified when no one acts, and after what time
//   - call.go: the order in which approvers are mentioned
//   - watch.go: monitoring, and the limits beyond which an observation is an incident
//   - state.go: the state store, its key, its witnesses
//   - terminal.go: commands in a shell
//   - metrics.go: the metrics listener
//   - runbooks.go, lowered.go: your own runbooks; severities and classes that they lower
//   - load.go: files and secrets that the config names
//   - schema.go: the JSON Schema
package config
