package handlers

import (
	"slices"

	"dhbot/internal/card"
	"dhbot/internal/fleet"
	"dhbot/internal/probe"
	"dhbot/runbooks"
)

// etcdID is the process whose members serve together while most of them are up
// (etcd-runbook.md:122).
const etcdID = "etcd"

// upstream finds, of what is not up, what is so because of something that it
// needs: one root cause instead of a red line for everything behind it. It
// goes by what was seen; what could not be observed is nobody's cause.
type upstream struct {
	catalog *runbooks.Catalog
	cluster *fleet.Cluster
	rows    map[string][]card.Row // by process
	known   map[runbooks.Target][]card.Cause
}

// markUpstream notes on each row of a board that is out what upstream of it is
// out too, and on a board of needs what of them is not met. The board's rows
// and those of Upstream are the evidence.
func markUpstream(catalog *runbooks.Catalog, cluster *fleet.Cluster, b *card.Board) {
	u := upstream{catalog: catalog, cluster: cluster, rows: map[string][]card.Row{}, known: map[runbooks.Target][]card.Cause{}}
	for _, r := range slices.Concat(b.Rows, b.Upstream) {
		u.rows[r.Process.ID] = append(u.rows[r.Process.ID], r)
	}
	b.Unmet = nil
	for i := range b.Rows {
		r := &b.Rows[i]
		r.Causes = nil
		if r.Process.ID == b.Needs {
			b.Unmet = unequal(append(b.Unmet, u.roots(r.Process.ID, r.Host)...))
		}
		if missed(*r) {
			r.Causes = u.roots(r.Process.ID, r.Host)
		}
	}
}

// missed says that a row is out and that somebody misses it.
func missed(r card.Row) bool {
	return out(r) && r.Finding.Severity != runbooks.None
}

// out says that a row was seen not to serve. What its supervisor does not
// watch may have been found to run all the same.
func out(r card.Row) bool {
	unwatched := r.Observation.State == probe.NotMonitored || r.Observation.State == probe.Missing
	return !r.Pending && r.Observation.Out() && !(unwatched && r.Finding.Condition == runbooks.Moderate)
}

// roots are the causes that a process on a host has upstream, each as far up
// as it could be followed.
func (u *upstream) roots(process, host string) []card.Cause {
	at := runbooks.Target{Process: process, Host: host}
	if causes, ok := u.known[at]; ok {
		return causes
	}
	u.known[at] = nil // a circle of a site's own making ends here
	p, ok := u.catalog.Process(process)
	if !ok {
		return nil
	}
	var causes []card.Cause
	for _, need := range p.Needs {
		if need.Holds(u.cluster.ACLs) {
			causes = append(causes, u.cause(need.Process, host)...)
		}
	}
	causes = unequal(causes)
	u.known[at] = causes
	return causes
}

// cause is why a need of something on a host is not met, if it is not: what is
// upstream of it in turn, or the need itself.
func (u *upstream) cause(process, host string) []card.Cause {
	unmet := u.unmet(process, host)
	if len(unmet) == 0 {
		return nil
	}
	var deeper []card.Cause
	self := card.Cause{Process: process, State: unmet[0].Observation.State}
	for _, r := range unmet {
		self.Hosts = append(self.Hosts, r.Host)
		deeper = append(deeper, u.roots(process, r.Host)...)
	}
	if len(deeper) > 0 {
		return deeper
	}
	return []card.Cause{self}
}

// unmet are the rows of a needed process that are out, where that leaves the
// need unmet on a host: the instance on that host where there is one, most
// members of etcd, all instances of anything else.
func (u *upstream) unmet(process, host string) []card.Row {
	var list []card.Row
	for _, r := range u.rows[process] {
		isOut := out(r)
		if isOut {
			list = append(list, r)
		}
		if r.Host == host && process != etcdID {
			if isOut {
				return []card.Row{r}
			}
			return nil
		}
	}
	all := len(u.cluster.HostsOf(process))
	if process == etcdID {
		if len(list) > all-(all/2+1) {
			return list
		}
		return nil
	}
	if len(list) < all {
		return nil
	}
	return list
}

// unequal keeps the first of equal causes.
func unequal(causes []card.Cause) []card.Cause {
	var out []card.Cause
	for _, c := range causes {
		if !slices.ContainsFunc(out, func(o card.Cause) bool { return o.Process == c.Process && slices.Equal(o.Hosts, c.Hosts) }) {
			out = append(out, c)
		}
	}
	return out
}

// unseenNeeds are the needs of what is out on a board that the board says
// nothing of, in the order in which they start.
func unseenNeeds(catalog *runbooks.Catalog, cluster *fleet.Cluster, rows []card.Row) []runbooks.Target {
	var out []runbooks.Target
	seen := map[runbooks.Target]bool{}
	for _, r := range rows {
		seen[runbooks.Target{Process: r.Process.ID, Host: r.Host}] = true
	}
	for _, r := range rows {
		if !missed(r) {
			continue
		}
		for _, id := range catalog.Needed(r.Process.ID, cluster.ACLs) {
			for _, h := range cluster.HostsOf(id) {
				if t := (runbooks.Target{Process: id, Host: h.Name}); !seen[t] {
					seen[t] = true
					out = append(out, t)
				}
			}
		}
	}
	return out
}
