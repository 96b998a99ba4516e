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

// Config has the fields of the store's config that a Log needs.
type Config struct {
	Replica string
	Archive string // a directory, "" for none

	KeyFile, NotesDir string
	Witnesses         []string
	Adopt             bool

	Timeout, SealEach, AppendEach, SweepEach, WitnessEach, VerifyEach time.Duration
	KeepTrail, Segment                                                uint64
	KeepHistory, Quota                                                int64

	Now func() time.Time
	Log *slog.Logger
}

// Runs is the part of the run store that a Log needs.
type Runs interface {
	// SignAll signs all runs that no current key has signed. Their signatures get an epoch that
	// is earlier than any real epoch.
	SignAll(ctx context.Context) error
	// OlderThanNoted describes a run that is older in the store than in the notes, or that is
	// missing in the store. It returns "" if there is no such run.
	OlderThanNoted(ctx context.Context) (string, error)
	// VerifyRuns raises an alarm for each invalid stored run.
	VerifyRuns(ctx context.Context) error
	// Settling returns the operation that marks a delivery as handled.
	Settling(claim string) (clientv3.Op, error)
	// Sweep deletes deliveries that were handled long ago.
	Sweep(ctx context.Context) (int, error)
}

// Log is the audit trail. Its methods are safe for concurrent use.
type Log struct {
	conf    Config
	log     *slog.Logger
	etcd    *etcdconn.Conn
	keys    keymap.Keys
	self    *replicas.Replica
	runs    Runs
	archive *archive.Archive // nil for none
	since   time.Time        // when the store was opened

	process   string       // random, part of the keys of this process's records without a run
	appends   atomic.Int64 // number of records without a run
	appending *batch.Batcher[Loose]
	sealer    sealer
	marked    compactionMark // used only by KeepSealing, see compact
	trouble   etcdconn.Trouble
	trust     trust
}

// New returns a Log. It does not trust the store before LoadKey is called.
func New(conf Config, etcd *etcdconn.Conn, keys keymap.Keys, runs Runs) *Log {
	s := &Log{conf: conf, log: conf.Log, etcd: etcd, keys: keys, runs: runs, since: conf.Now(), process: rand.Text()[:8]}
	s.appending = batch.New(conf.AppendEach, etcdconn.MaxBytes, Loose.room, s.appendAll)
	if conf.Archive != "" {
		s.archive = archive.New(conf.Archive)
	}
	return s
}

// Use sets the replica that this process is. It must be called before anything is written.
func (s *Log) Use(self *replicas.Replica) { s.self = self }

// Archived returns the archive, or nil if there is none.
func (s *Log) Archived() *archive.Archive { return s.archive }

// Key returns the key that signs stored values, or nil if the store was opened only for reading.
func (s *Log) Key() *sign.Key { return s.trust.key }

// Notes returns the durable notes of this replica, or nil without a key.
func (s *Log) Notes() *notes.Notes { return s.trust.notes }

// Trouble returns why the trail is not being sealed, or nil.
func (s *Log) Trouble() error { return s.trouble.Get() }

// LastSeal returns when this replica last sealed a record. It is zero if it never did.
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
