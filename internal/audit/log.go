package audit

import "context"

// Sealed is a record with its place in the trail.
type Sealed struct {
	N      uint64 `json:"n"`    // from 1; numbers are missing only before a Restored record
	Rev    int64  `json:"rev"`  // the store's revision of the record: the order of the trail
	Prev   string `json:"prev"` // hash of entry N-1, "" for the first
	Record Record `json:"record"`
	Hash   string `json:"hash"` // over N, Rev, Prev and the record's canonical form
}

// size is the approximate size of the entry in bytes.
func (s Sealed) size() int {
	return 256 + len(s.Record.Command) + len(s.Record.Text) + len(s.Record.Outcome)
}

// Log stores and reads the audit trail.
type Log interface {
	// Append stores a record without a run (a read, a refusal, a note). If claim is not "", the
	// same transaction settles that claim of a delivered Slack request.
	Append(ctx context.Context, r Record, claim string) error
	// Trail calls f with every entry in order, starting at number n.
	Trail(ctx context.Context, n uint64, f func(Sealed) error) error
	// Find calls f with the entries that a query selects, in order. If there are more than
	// q.Newest, it leaves out the oldest and returns their number. It may miss entries if a record
	// is more than a minute older than an earlier record of the trail.
	Find(ctx context.Context, q Query, f func(Sealed) error) (older int, err error)
	// Head returns the newest entry. ok is false if the trail is empty.
	Head(ctx context.Context) (s Sealed, ok bool, err error)
}
