// Package replicas coordinates the replicas of the bot: each has a lease while it is alive, and
// one of them leads.
package replicas
