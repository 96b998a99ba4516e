// Package replicas coordinates the replicas of the bot: each has a lease while it is alive, and
// one of them leads.
//
// # Files
//
//   - replica.go: config and construction
//   - lease.go: the lease of a replica and the value of its key; a name that is in use
//   - lead.go: which replica leads, and how often the others try
//   - peers.go: the live replicas, with their configs and clocks; stopping
//   - rewrite.go: replaces all values below a prefix
package replicas
