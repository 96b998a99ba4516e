// Package trail stores the audit trail in etcd. It appends records, seals them into one chain, and
// moves them into the archive. It signs the trail's heads and sends them to witnesses. With the
// heads and the notes next to the key it checks that the store is as the bot left it, and begins an
// epoch if the store was reset to an earlier time.
package trail
