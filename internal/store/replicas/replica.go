package replicas

import (
	"log/slog"
	"sync/atomic"
	"time"

	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/keymap"
	"dhbot/internal/store/sign"
)

// Config has the dependencies of a Replica. Only Hash is optional.
type Config struct {
	Name     string        // unique among live replicas
	Hash     string        // of this replica's config, for its peers to compare
	LeaseTTL time.Duration // how long a dead replica counts as alive
	Timeout  time.Duration // limit of one call
	Now      func() time.Time
	Log      *slog.Logger
}

// Replica is this process as one of the replicas. Its methods are safe for concurrent use after
// Register has returned.
type Replica struct {
	conf  Config
	log   *slog.Logger
	etcd  *etcdconn.Conn
	keys  keymap.Keys
	key   *sign.Key // signs the entry of this replica; nil for a reader
	since time.Time

	lease   atomic.Pointer[lease] // may have ended already
	leaving atomic.Bool           // this replica is stopping, see Leave
	term    atomic.Int64          // of the current lead, see Lead; 0 for never
}

// New returns a Replica that has no lease yet.
func New(conf Config, etcd *etcdconn.Conn, keys keymap.Keys, key *sign.Key) *Replica {
	return &Replica{conf: conf, log: conf.Log, etcd: etcd, keys: keys, key: key, since: conf.Now()}
}
