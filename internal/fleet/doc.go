// Package fleet describes clusters, their hosts, the processes of each host, and when a process
// should be up. It imports no other package of the bot.
//
// # Files
//
//   - fleet.go: clusters and hosts, when a process should be up, which member of etcd a
//     command uses
//   - maintenance.go: what an announcement or a window covers, and until when
//   - sudo.go: how sudo is called on a host; which versions have regular expressions
package fleet
