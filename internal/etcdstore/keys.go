package etcdstore

import (
	"fmt"
	"math"
	"strings"
	"time"

	"dhbot/internal/fleet"
)

// keys makes the keys of the map in the package's comment.
type keys string

const maxMillis = 9_999_999_999_999 // the year 2286

func (k keys) runs() string            { return string(k) + "run/" }
func (k keys) run(id string) string    { return string(k) + "run/" + id }
func (k keys) opens() string           { return string(k) + "open/" }
func (k keys) open(id string) string   { return string(k) + "open/" + id }
func (k keys) endeds() string          { return string(k) + "ended/" }
func (k keys) id(id string) string     { return string(k) + "id/" + id }
func (k keys) locks() string           { return string(k) + "lock/" }
func (k keys) lock(name string) string { return string(k) + "lock/" + name }
func (k keys) claims() string          { return string(k) + "claim/" }
func (k keys) claim(key string) string { return string(k) + "claim/" + key }
func (k keys) records() string         { return string(k) + "rec/" }
func (k keys) chunks() string          { return string(k) + "trail/" }
func (k keys) head() string            { return string(k) + "head" }
func (k keys) replicas() string        { return string(k) + "replica/" }
func (k keys) leader() string          { return string(k) + "leader/trail" }
func (k keys) heard() string           { return string(k) + "heard" }
func (k keys) echo() string            { return string(k) + "echo" }
func (k keys) lead() string            { return string(k) + "leader/work" }
func (k keys) post(id string) string   { return string(k) + "post/" + id }
func (k keys) thread(id string) string { return string(k) + "thread/" + id }
func (k keys) posted() string          { return string(k) + "posted" }

// kept is the key of something that is watched, or what such keys begin with.
func (k keys) kept(name string) string { return string(k) + "watch/" + name }

func (k keys) maintenances() string { return string(k) + "maintenance/" }

// maintenance refuses names that would become another key.
func (k keys) maintenance(m fleet.Maintenance) (string, error) {
	host := m.Host
	if host == "" {
		host = everyHost
	}
	for _, name := range []string{m.Cluster, m.Process, host} {
		if name == "" || strings.Contains(name, "/") {
			return "", fmt.Errorf("maintenance of %q in %q cannot be stored: a name is empty or has a / in it", m.Target(), m.Cluster)
		}
	}
	return k.maintenances() + m.Cluster + "/" + m.Process + "/" + host, nil
}

func (k keys) replica(name string) string { return string(k) + "replica/" + name }

// ended sorts the newest end first.
func (k keys) ended(id string, at time.Time) string {
	ms := min(max(at.UnixMilli(), 0), maxMillis)
	return fmt.Sprintf("%sended/%013d/%s", string(k), maxMillis-ms, id)
}

func (k keys) record(run string, seq int) string {
	return fmt.Sprintf("%srec/%s/%08d", string(k), run, seq)
}

// looseRecord is the key of a record of no run; "~" is no run id.
func (k keys) looseRecord(process string, n int64) string {
	return fmt.Sprintf("%srec/~/%s/%016d", string(k), process, n)
}

// chunk sorts by the number of a chunk's last entry, so that the first key
// from chunk(n) on holds entry n.
func (k keys) chunk(last uint64) string {
	return fmt.Sprintf("%strail/%016d", string(k), min(last, math.MaxInt64/1000))
}
