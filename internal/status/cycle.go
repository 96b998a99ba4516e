package status

import (
	"slices"
	"time"

	"dhbot/internal/observe"
	"dhbot/runbooks"
)

// cycle estimates how often a host's monit checks its services. monit reports the time of its last
// check, not its interval. Two different times must be at least one cycle apart.
type cycle struct {
	last  time.Time // monit's last check, by the bot's clock
	spans []time.Duration
}

// mostSpans is how many of the latest times between two checks by monit are remembered. If monit's
// cycle becomes longer, this is detected after mostSpans checks.
const mostSpans = 5

// sameLook is how much two computed times of the same check by monit may differ. They differ
// because monit and the host's list of processes report only whole seconds.
const sameLook = 3 * time.Second

// see records the time of a check by monit.
func (c *cycle) see(at time.Time) {
	span := at.Sub(c.last)
	switch {
	case c.last.IsZero():
	case span < sameLook:
		return
	default:
		c.spans = append(c.spans, span)
		c.spans = c.spans[max(0, len(c.spans)-mostSpans):]
	}
	c.last = at
}

// length returns the shortest recent time between two checks, as the estimate of the cycle. The
// cycle is not longer than that. length returns 0 if no such time is known.
func (c *cycle) length() time.Duration {
	if len(c.spans) == 0 {
		return 0
	}
	return slices.Min(c.spans)
}

// hostKey is a host of a cluster.
type hostKey struct{ cluster, host string }

// hear records when monit last checked any service on each host. It uses the newest time of all
// services, because monit delays the check of a service that is starting.
func (h *history) hear(cluster string, rows []Row) {
	newest := map[string]time.Time{}
	for _, r := range rows {
		o := r.Observation
		if r.Pending || o.Manager != runbooks.Monit || !o.AgeKnown {
			continue
		}
		if at := o.At.Add(-o.Age); at.After(newest[r.Host]) {
			newest[r.Host] = at
		}
	}
	if h.cycles == nil {
		h.cycles = map[hostKey]*cycle{}
	}
	for host, at := range newest {
		k := hostKey{cluster, host}
		if h.cycles[k] == nil {
			h.cycles[k] = &cycle{}
		}
		h.cycles[k].see(at)
	}
}

// cycle returns the estimated cycle of a host's monit, or 0 if unknown.
func (h *history) cycle(cluster, host string) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.cycles[hostKey{cluster, host}]; c != nil {
		return c.length()
	}
	return 0
}

// stale returns the largest age at which a check by a host's monit still counts.
func (h *history) stale(cluster, host string) time.Duration {
	return observe.StaleAfter(h.cycle(cluster, host))
}
