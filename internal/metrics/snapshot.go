package metrics

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Snapshot is the state of the bot when Prometheus scrapes it.
type Snapshot struct {
	Ready     bool
	Hears     bool
	LastHeard time.Time
	SocketsUp int
	// Pending deliveries, at most Capacity.
	Pending, Capacity int
	SSH               SSH
	// Runs is the number of open runs in each state. It is nil if the store did not answer.
	Runs map[string]int
	// OldestApproval is how long the oldest open request has waited for approvals, or 0 if there is
	// none.
	OldestApproval time.Duration
	// Incidents counts the open incidents for each cluster and severity.
	Incidents []Incidents
	Store     *Store // nil if unknown
	Trail     Trail
	Reload    Reload
}

// SSH has the current numbers of the connection pool.
type SSH struct{ Connections, Sessions int }

// Incidents counts open incidents.
type Incidents struct {
	Cluster  string
	Severity int // 0 to 3, or -1 for unknown
	Count    int
}

// Store is the health of the state store.
type Store struct {
	Up                 bool
	Size, InUse, Quota int64 // bytes
}

// Trail says how far the audit trail has been sealed, posted and sent to the witnesses.
type Trail struct {
	Head     uint64 // the number of the last sealed entry
	Unsealed int64  // records not yet sealed
	Unposted uint64 // sealed entries not yet posted in the audit channel
	Unlodged []Unlodged
}

// Unlodged is the number of trail entries that a witness does not cover yet.
type Unlodged struct {
	Witness string
	Entries uint64
}

// Reload says how the last reload of the config went.
type Reload struct {
	OK bool
	At time.Time // time of the last successful one
	// Refused is when the newest config was refused, and Why says why. Both have their zero value
	// if the newest config is in use.
	Refused time.Time
	Why     string
}

// scrapeBudget limits the time of a scrape. It is less than Prometheus's default time limit (10 s).
const scrapeBudget = 5 * time.Second

// Watch sets the function that provides the Snapshot at every scrape.
func (m *Metrics) Watch(take func(ctx context.Context) Snapshot) {
	m.registry.MustRegister(&collector{take})
}

type collector struct {
	take func(ctx context.Context) Snapshot
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(namespace+name, help, labels, nil)
}

var (
	ready          = describe("ready", "1 if the bot is healthy: Slack's events arrive, the store answers, and all replicas have the same config.")
	hears          = describe("slack_hears", "1 while at least one socket has recently received bytes from Slack.")
	lastHeard      = describe("slack_last_heard_timestamp_seconds", "When the last bytes arrived from Slack.")
	socketsUp      = describe("slack_sockets_up", "Sockets that are connected.")
	pending        = describe("slack_deliveries_pending", "Deliveries that are queued or being handled.")
	capacity       = describe("slack_deliveries_capacity", "Largest number of deliveries at a time; further ones are refused as busy.")
	sshConnections = describe("ssh_connections", "Open SSH connections that accept commands.")
	sshSessions    = describe("ssh_sessions", "Commands running on hosts.")
	runs           = describe("runs", "Open runs by state, of all replicas.", "state")
	oldestApproval = describe("approval_oldest_wait_seconds", "How long the oldest open request has waited for its approvals; 0 if none waits.")
	incidents      = describe("incidents", "Open incidents by severity (-1 is unknown), of all replicas.", "cluster", "severity")
	storeUp        = describe("store_up", "1 while the state store answers and accepts writes.")
	storeSize      = describe("store_size_bytes", "Size of the state store's database.")
	storeInUse     = describe("store_in_use_bytes", "Bytes of the database in use.")
	storeQuota     = describe("store_quota_bytes", "Largest size of the database in bytes.")
	trailHead      = describe("trail_entries_total", "Number of the newest sealed entry of the audit trail.")
	trailUnsealed  = describe("trail_unsealed_records", "Records not yet sealed into the trail.")
	trailUnposted  = describe("trail_unposted_entries", "Sealed entries not yet posted in the audit channel.")
	trailUnlodged  = describe("trail_unlodged_entries", "Sealed entries that no head at the witness covers yet.", "witness")
	reloadOK       = describe("config_last_reload_successful", "1 if the last reload of the config succeeded.")
	reloadAt       = describe("config_last_reload_success_timestamp_seconds", "When the config in use was read.")
)

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		ready, hears, lastHeard, socketsUp, pending, capacity, sshConnections, sshSessions, runs, oldestApproval, incidents,
		storeUp, storeSize, storeInUse, storeQuota, trailHead, trailUnsealed, trailUnposted, trailUnlodged, reloadOK, reloadAt,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeBudget)
	defer cancel()
	s := c.take(ctx)
	set := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	set(ready, boolean(s.Ready))
	set(hears, boolean(s.Hears))
	set(lastHeard, unix(s.LastHeard))
	set(socketsUp, float64(s.SocketsUp))
	set(pending, float64(s.Pending))
	set(capacity, float64(s.Capacity))
	set(sshConnections, float64(s.SSH.Connections))
	set(sshSessions, float64(s.SSH.Sessions))
	if s.Runs != nil {
		set(oldestApproval, s.OldestApproval.Seconds())
	}
	for state, n := range s.Runs {
		set(runs, float64(n), state)
	}
	for _, i := range s.Incidents {
		set(incidents, float64(i.Count), i.Cluster, strconv.Itoa(i.Severity))
	}
	if st := s.Store; st != nil {
		set(storeUp, boolean(st.Up))
		set(storeSize, float64(st.Size))
		set(storeInUse, float64(st.InUse))
		set(storeQuota, float64(st.Quota))
	}
	out <- prometheus.MustNewConstMetric(trailHead, prometheus.CounterValue, float64(s.Trail.Head))
	set(trailUnsealed, float64(s.Trail.Unsealed))
	set(trailUnposted, float64(s.Trail.Unposted))
	for _, w := range s.Trail.Unlodged {
		set(trailUnlodged, float64(w.Entries), w.Witness)
	}
	set(reloadOK, boolean(s.Reload.OK))
	set(reloadAt, unix(s.Reload.At))
}

func boolean(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// unix returns a time in seconds since 1970, or 0 for the zero time.
func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
