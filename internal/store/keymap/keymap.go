package keymap

import (
	"fmt"
	"math"
	"strings"
	"time"

	"dhbot/internal/fleet"
)

// Keys is the prefix of all keys in etcd. Each method returns a key, or the prefix of a group of
// keys.
type Keys string

// MaxMillis is the latest time that a key can contain, in Unix milliseconds.
const MaxMillis = 9_999_999_999_999 // the year 2286

// EveryHost stands for all hosts in the key of a maintenance. EveryProcess stands for all processes
// of a host.
const (
	EveryHost    = "*"
	EveryProcess = "*"
)

func (k Keys) Runs() string            { return string(k) + "run/" }
func (k Keys) Run(id string) string    { return string(k) + "run/" + id }
func (k Keys) Opens() string           { return string(k) + "open/" }
func (k Keys) Open(id string) string   { return string(k) + "open/" + id }
func (k Keys) Endeds() string          { return string(k) + "ended/" }
func (k Keys) UsedID(id string) string { return string(k) + "id/" + id }
func (k Keys) Locks() string           { return string(k) + "lock/" }
func (k Keys) Lock(name string) string { return string(k) + "lock/" + name }
func (k Keys) Claims() string          { return string(k) + "claim/" }
func (k Keys) Claim(key string) string { return string(k) + "claim/" + key }

// Rotating returns the prefix under which a claim is kept while a rotation of the key signs it
// again.
func (k Keys) Rotating() string        { return string(k) + "rotating/" }
func (k Keys) Records() string         { return string(k) + "rec/" }
func (k Keys) Chunks() string          { return string(k) + "trail/" }
func (k Keys) Installation() string    { return string(k) + "install" }
func (k Keys) Checkpoint() string      { return string(k) + "checkpoint" }
func (k Keys) Head() string            { return string(k) + "head" }
func (k Keys) Replicas() string        { return string(k) + "replica/" }
func (k Keys) LeadsTrail() string      { return string(k) + "leader/trail" }
func (k Keys) LastHeard() string       { return string(k) + "heard" }
func (k Keys) RoundTrip() string       { return string(k) + "echo" }
func (k Keys) LeadsWork() string       { return string(k) + "leader/work" }
func (k Keys) Post(id string) string   { return string(k) + "post/" + id }
func (k Keys) Thread(id string) string { return string(k) + "thread/" + id }
func (k Keys) Posted() string          { return string(k) + "posted" }

// Watched returns the key of a value of the monitoring, or the prefix of such keys.
func (k Keys) Watched(name string) string { return string(k) + "watch/" + name }

func (k Keys) Maintenances() string { return string(k) + "maintenance/" }

// Maintenance returns the key of a maintenance. An empty process or host stands for all.
// Maintenance returns an error if the cluster is empty, or if a name contains a slash.
func (k Keys) Maintenance(m fleet.Maintenance) (string, error) {
	process, host := m.Process, m.Host
	if host == "" {
		host = EveryHost
	}
	if m.IsWindow() {
		process = EveryProcess
	}
	for _, name := range []string{m.Cluster, process, host} {
		if name == "" || strings.Contains(name, "/") {
			return "", fmt.Errorf("maintenance of %q in %q cannot be stored: a name is empty or has a / in it", m.Target(), m.Cluster)
		}
	}
	return k.Maintenances() + m.Cluster + "/" + process + "/" + host, nil
}

func (k Keys) Replica(name string) string { return string(k) + "replica/" + name }

// Ended returns the key of a run in the index of ended runs. The keys sort by the time at which the
// runs ended, newest first.
func (k Keys) Ended(id string, at time.Time) string {
	ms := min(max(at.UnixMilli(), 0), MaxMillis)
	return fmt.Sprintf("%sended/%013d/%s", string(k), MaxMillis-ms, id)
}

func (k Keys) Record(run string, seq int) string {
	return fmt.Sprintf("%srec/%s/%08d", string(k), run, seq)
}

// LooseRecord returns the key of a record that belongs to no run. It has "~" in place of a run id.
func (k Keys) LooseRecord(process string, n int64) string {
	return fmt.Sprintf("%srec/~/%s/%016d", string(k), process, n)
}

// Chunk returns the key of a chunk of the trail. The argument is the number of the chunk's last
// entry. The keys sort by this number, so entry n is in the first chunk whose key is not below
// Chunk(n).
func (k Keys) Chunk(last uint64) string {
	return fmt.Sprintf("%strail/%016d", string(k), min(last, math.MaxInt64/1000))
}
