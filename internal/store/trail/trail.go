// Package trail keeps the audit trail in etcd: records are appended, sealed into one
// chain, and moved into the archive. It signs the trail's heads, gives them to
// witnesses, and finds out with them, and with the notes beside the key, whether the
// store is what the bot left; where it was put back to an earlier time it begins an
// epoch.
package trail

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/archive"
	"dhbot/internal/batch"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/keymap"
	"dhbot/internal/store/notes"
	"dhbot/internal/store/replicas"
	"dhbot/internal/store/sign"
)

// Config is what a Log is made of; the fields are those of the store's config.
type Config struct {
	Replica string
	Archive string // a directory, "" for none

	KeyFile, NotesDir string
	Witnesses         []string
	Adopt             bool

	Timeout, SealEach, AppendEach, WitnessEach, VerifyEach time.Duration
	KeepTrail, Segment                                     uint64
	KeepHistory, Quota                                     int64

	Now func() time.Time
	Log *slog.Logger
}

// Runs is what a Log needs of the runs that the store holds.
type Runs interface {
	// SignAll signs, as of before every epoch, what no present key has signed.
	SignAll(ctx context.Context) error
	// OlderThanNoted names a run that the notes saw further on than the store has
	// it, "" for none.
	OlderThanNoted(ctx context.Context) (string, error)
	// VerifyRuns alarms what of the stored runs does not count.
	VerifyRuns(ctx context.Context) error
	// Settling makes the operation that marks a delivery as handled.
	Settling(claim string) (clientv3.Op, error)
	// Sweep forgets deliveries that were handled long ago.
	Sweep(ctx context.Context) (int, error)
}

// Log is the trail. Its methods may be called at the same time.
type Log struct {
	conf    Config
	log     *slog.Logger
	etcd    *etcdconn.Conn
	keys    keymap.Keys
	self    *replicas.Replica
	runs    Runs
	archive *archive.Archive // nil for none
	since   time.Time        // when the store was opened

	process   string       // random, names this process's records of no run
	appends   atomic.Int64 // records of no run so far
	appending *batch.Batcher[Loose]
	sealer    sealer
	marked    compactionMark // KeepSealing's, see compact
	trouble   etcdconn.Trouble
	trust     trust
}

// New makes a Log of a trail that may be believed by nothing yet: see LoadKey.
func New(conf Config, etcd *etcdconn.Conn, keys keymap.Keys, runs Runs) *Log {
	s := &Log{conf: conf, log: conf.Log, etcd: etcd, keys: keys, runs: runs, since: conf.Now(), process: rand.Text()[:8]}
	s.appending = batch.New(conf.AppendEach, etcdconn.MaxBytes, Loose.room, s.appendAll)
	if conf.Archive != "" {
		s.archive = archive.New(conf.Archive)
	}
	return s
}

// Use names this process among the replicas, before anything is written.
func (s *Log) Use(self *replicas.Replica) { s.self = self }

// Archived is the archive, nil for none.
func (s *Log) Archived() *archive.Archive { return s.archive }

// Key signs what is stored, nil for a reader.
func (s *Log) Key() *sign.Key { return s.trust.key }

// Notes are what this replica never forgets; there are none without a key.
func (s *Log) Notes() *notes.Notes { return s.trust.notes }

// Trouble is why the trail is not being sealed, nil where it is.
func (s *Log) Trouble() error { return s.trouble.Get() }

// LastSeal is when this replica sealed last, zero for never.
func (s *Log) LastSeal() time.Time {
	s.sealer.mu.Lock()
	defer s.sealer.mu.Unlock()
	return s.sealer.last
}

// Close closes the notes.
func (s *Log) Close() error {
	if s.trust.notes == nil {
		return nil
	}
	return s.trust.notes.Close()
}
