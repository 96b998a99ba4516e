// Package trail stores the audit trail in etcd. It appends records, seals them into one chain, and
// moves them into the archive. It signs the trail's heads and sends them to witnesses. With the
// heads and the notes next to the key it checks that the store is as the bot left it, and begins an
// epoch if the store was reset to an earlier time.
//
// # Files
//
//   - trail.go: config, the parts of the run store that it needs, construction
//   - log.go: appends, reads and searches records; how many fit in one transaction or read
//   - seal.go: which replica seals, and how large a chunk is
//   - heads.go: signed heads, the witnesses that keep them, how long a witness may take
//   - trust.go: the key and the notes; alarms; when changes stop and runs are held
//   - epoch.go: detects a store that was reset, or signed with another key, and begins an
//     epoch; the sentences about it
//   - history.go: when the whole history is verified
//   - archive.go: which entries leave the store; an archive that does not belong to it
//   - compaction.go: when the history of an embedded store is dropped; when the alarm of a
//     full store is cleared
package trail
