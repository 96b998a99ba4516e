package status

import (
	"slices"
	"time"

	"dhbot/internal/observe"
	"dhbot/runbooks"
)

// cycle is what is known of how often a host's monit looks at its services. monit
// tells when it has looked last and not how often it does; two looks of ours that
// it has looked between are at least a cycle apart.
type cycle struct {
	last  time.Time // when monit had looked, by the bot's clock
	spans []time.Duration
}

// mostSpans is how many spans between two of monit's looks are remembered: a
// cycle that is made longer is known after so many.
const mostSpans = 5

// sameLook is how far the times of one look of monit's may seem apart: it names
// whole seconds, and so does the host's list of processes.
const sameLook = 3 * time.Second

// see takes in when monit had looked.
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

// length is the shortest span lately, which is no shorter than the cycle, and 0
// where none is known.
func (c *cycle) length() time.Duration {
	if len(c.spans) == 0 {
		return 0
	}
	return slices.Min(c.spans)
}

// hostKey is a host of a cluster.
type hostKey struct{ cluster, host string }

// hear takes in what the rows of a look tell of monit's own looks: the newest on
// each host, since a service in the middle of a start is looked at later.
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

// cycle is that of a host's monit, 0 where it is not known.
func (h *history) cycle(cluster, host string) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.cycles[hostKey{cluster, host}]; c != nil {
		return c.length()
	}
	return 0
}

// stale is how old the looks of a host's monit may be.
func (h *history) stale(cluster, host string) time.Duration {
	return observe.StaleAfter(h.cycle(cluster, host))
}
