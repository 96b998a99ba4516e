// Package replicas is what the replicas of the bot know of one another: that each
// lives, under a lease, and which of them leads.
package replicas

import (
	"log/slog"
	"sync/atomic"
	"time"

	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/keymap"
	"dhbot/internal/store/sign"
)

// Config is what a Replica is made of; all of it must be set but Hash.
type Config struct {
	Name     string        // unique among those alive
	Hash     string        // of the config that it runs by, for its peers to compare
	LeaseTTL time.Duration // how long a vanished replica counts as alive
	Timeout  time.Duration // of one call
	Now      func() time.Time
	Log      *slog.Logger
}

// Replica is this process among the replicas. Its methods may be called at the same
// time, once Register has returned.
type Replica struct {
	conf  Config
	log   *slog.Logger
	etcd  *etcdconn.Conn
	keys  keymap.Keys
	key   *sign.Key // signs what it says of itself; nil for a reader
	since time.Time

	lease   atomic.Pointer[lease] // perhaps lost meanwhile
	leaving atomic.Bool           // it stops, see Leave
	term    atomic.Int64          // of leading the work, see Lead; 0 for never
}

// New makes a Replica that has no lease yet.
func New(conf Config, etcd *etcdconn.Conn, keys keymap.Keys, key *sign.Key) *Replica {
	return &Replica{conf: conf, log: conf.Log, etcd: etcd, keys: keys, key: key, since: conf.Now()}
}
