package etcdstore

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"dhbot/internal/secret"
	"dhbot/internal/store/endpoint"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/replicas"
	"dhbot/internal/store/trail"
)

// DefaultPrefix begins every key in etcd, unless the config has another prefix.
const DefaultPrefix = "dhbot/v1/"

// Config describes where the state is stored. Exactly one of Dir and Endpoints is set. In the
// comments of the fields, a value after a semicolon is the default.
type Config struct {
	// Dir is a local directory for the embedded store, created with mode 0700.
	Dir string
	// Endpoints are URLs of an external cluster. Plain http is allowed only for loopback addresses.
	Endpoints []string
	TLS       etcdconn.TLS
	User      string
	Password  secret.Text

	Prefix string // DefaultPrefix
	// ConfigHash identifies the config of this replica, so that Peers can compare it with other
	// replicas.
	ConfigHash string

	Replica  string        // name of this replica, unique among live ones; "bot" by default
	LeaseTTL time.Duration // how long a dead replica counts as alive, in whole seconds; 10 s
	Timeout  time.Duration // limit of one call; 3 s
	SealEach time.Duration // how often pending records are sealed; 500 ms
	// AppendEach is the least time between transactions that append records without a run; 100 ms.
	// Records that arrive in this time share the next transaction.
	AppendEach time.Duration
	Quota      int64 // embedded: largest size of the database; 2 GiB
	// KeepClaims is the least time for which a handled delivery is kept; 75 min. Slack may deliver
	// an event again for up to an hour. The other 15 min allow for clocks that differ.
	KeepClaims time.Duration
	SweepEach  time.Duration // how often older deliveries are deleted; 10 min

	// Archive is a directory for data that need not stay in the store. All replicas share it. ""
	// keeps everything in the store.
	Archive     string
	ArchiveEach time.Duration // how often data is archived; 1 min
	KeepTrail   uint64        // newest entries of the trail that stay in the store; 5,000
	Segment     uint64        // entries in one archived segment; 5,000
	KeepRuns    int           // newest ended runs that stay in the store; 2,000
	KeepRunsFor time.Duration // how long ended runs stay in the store; 30 days
	// KeepHistory is the least number of past changes that an embedded store keeps for slow
	// watches, counted in revisions or sealed records; 2,000.
	KeepHistory int64

	// KeyFile is the path of the key that signs the state, outside Dir. An embedded store creates
	// the key if it is missing. "" opens a signed store for reading only, without verifying
	// signatures.
	KeyFile string
	// NotesDir is the directory for notes about sent steps, and for this replica's own file with
	// heads of the trail. It must be durable and outside Dir. Only replicas on this machine may use
	// it. The default is the directory of KeyFile.
	NotesDir string
	// Witnesses are paths of files, and http(s) addresses. Each keeps the heads of the trail, in
	// addition to the file next to the key.
	Witnesses   []string
	WitnessEach time.Duration // how often a new head is sent to the witnesses; 1 s
	VerifyEach  time.Duration // how often the whole history is verified; 1 h
	// Adopt takes over a store that was signed with another key.
	Adopt bool
	// Temporary means that an embedded store is deleted when the process ends, so that its writes need
	// not wait for the disk.
	Temporary bool
	// Guest opens the store without registering as a replica. Such a store may only be read.
	Guest bool

	Now func() time.Time
	Log *slog.Logger
}

// complete sets defaults and returns an error that lists all problems.
func (c Config) complete() (Config, error) {
	c = c.withDefaults()
	return c, c.check()
}

func (c Config) withDefaults() Config {
	def(&c.Prefix, DefaultPrefix)
	def(&c.Replica, "bot")
	def(&c.LeaseTTL, 10*time.Second)
	def(&c.Timeout, 3*time.Second)
	def(&c.SealEach, 500*time.Millisecond)
	def(&c.AppendEach, 100*time.Millisecond)
	def(&c.Quota, 2<<30)
	def(&c.KeepClaims, 75*time.Minute)
	def(&c.SweepEach, 10*time.Minute)
	def(&c.ArchiveEach, time.Minute)
	def(&c.KeepTrail, 5_000)
	def(&c.Segment, 5_000)
	def(&c.KeepRuns, 2_000)
	def(&c.KeepRunsFor, 30*24*time.Hour)
	def(&c.KeepHistory, 2_000)
	def(&c.WitnessEach, time.Second)
	def(&c.VerifyEach, time.Hour)
	if c.KeyFile != "" {
		def(&c.NotesDir, filepath.Dir(c.KeyFile))
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// check returns all problems of a config that already has its defaults.
func (c Config) check() error {
	var bad []error
	wrong := func(format string, a ...any) { bad = append(bad, fmt.Errorf(format, a...)) }
	if (c.Dir == "") == (len(c.Endpoints) == 0) {
		wrong("the state needs either a directory (state.dir) or endpoints of an etcd cluster (state.etcd), and not both")
	}
	if !strings.HasSuffix(c.Prefix, "/") {
		wrong("the key prefix %q must end in a slash", c.Prefix)
	}
	if strings.ContainsAny(c.Replica, "/ \t\n") {
		wrong("the replica name %q must not contain slashes or spaces", c.Replica)
	}
	if c.LeaseTTL < time.Second || c.LeaseTTL%time.Second != 0 {
		wrong("the lease of a replica must be a whole number of seconds, at least 1; it is %v", c.LeaseTTL)
	}
	if c.KeepClaims <= 0 || c.SweepEach <= 0 {
		wrong("the time for which deliveries are kept (%v) and the sweep interval (%v) must be positive", c.KeepClaims, c.SweepEach)
	}
	if c.Timeout <= 0 || c.SealEach <= 0 || c.AppendEach <= 0 || c.Quota <= 0 {
		wrong("timeout %v, seal interval %v, append interval %v and quota %d must be positive", c.Timeout, c.SealEach, c.AppendEach, c.Quota)
	}
	if c.ArchiveEach <= 0 || c.KeepRuns < 0 || c.KeepRunsFor < 0 || c.KeepHistory <= 0 {
		wrong("archive interval %v and history %d must be positive, and the number (%d) and time (%v) of kept runs not negative", c.ArchiveEach, c.KeepHistory, c.KeepRuns, c.KeepRunsFor)
	}
	for _, e := range c.Endpoints {
		if err := c.checkEndpoint(e); err != nil {
			bad = append(bad, err)
		}
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		wrong("a client certificate for etcd needs both its cert and its key file")
	}
	if (c.User == "") != (c.Password.IsZero()) {
		wrong("etcd needs both a user and a password, or neither")
	}
	return errors.Join(bad...)
}

// etcd returns the part of the config that the connection to etcd needs.
func (c Config) etcd() etcdconn.Config {
	return etcdconn.Config{
		Dir: c.Dir, Endpoints: c.Endpoints, TLS: c.TLS, User: c.User, Password: c.Password,
		Timeout: c.Timeout, Quota: c.Quota, KeepHistory: c.KeepHistory, Temporary: c.Temporary, Now: c.Now, Log: c.Log,
	}
}

func (c Config) trail() trail.Config {
	return trail.Config{
		Replica: c.Replica, Archive: c.Archive, KeyFile: c.KeyFile, NotesDir: c.NotesDir, Witnesses: c.Witnesses, Adopt: c.Adopt,
		Timeout: c.Timeout, SealEach: c.SealEach, AppendEach: c.AppendEach, SweepEach: c.SweepEach, WitnessEach: c.WitnessEach, VerifyEach: c.VerifyEach,
		KeepTrail: c.KeepTrail, Segment: c.Segment, KeepHistory: c.KeepHistory, Quota: c.Quota, Now: c.Now, Log: c.Log,
	}
}

func (c Config) replica() replicas.Config {
	return replicas.Config{Name: c.Replica, Hash: c.ConfigHash, LeaseTTL: c.LeaseTTL, Timeout: c.Timeout, Now: c.Now, Log: c.Log}
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// checkEndpoint returns an error that does not name the endpoint, because it may contain a password.
func (c Config) checkEndpoint(e string) error {
	err := endpoint.Check(e)
	if err == nil {
		err = endpoint.CheckCA(e, c.TLS.CA)
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("state.etcd: %w: %s", err, endpoint.Instead[err])
}
