package command

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"dhbot/internal/fleet"
	"dhbot/runbooks/catalogs"
)

// Find returns what a spelling means in the catalog of a cluster.
func (g *Grammar) Find(cl *fleet.Cluster, spelling string) catalogs.Match {
	cat, ok := g.Catalogs.Get(cl.Catalog)
	if !ok || spelling == "" {
		return catalogs.Match{}
	}
	return cat.Find(spelling)
}

// ProcessMeant returns the process that a spelling names in any cluster.
func (g *Grammar) ProcessMeant(spelling string) (id string, ok bool) {
	for i := range g.Fleet.Clusters {
		if p := g.Find(&g.Fleet.Clusters[i], spelling).Process; p != nil {
			return p.ID, true
		}
	}
	return "", false
}

// KnowsProcess reports whether a spelling is a process id or alias in any cluster.
func (g *Grammar) KnowsProcess(spelling string) bool {
	_, ok := g.ProcessMeant(spelling)
	return ok
}

// KnowsHost reports whether a word is the name of a host.
func (g *Grammar) KnowsHost(spelling string) bool {
	return slices.Contains(g.HostNames(), strings.ToLower(spelling))
}

// KnowsCluster reports whether a word is the name of a cluster.
func (g *Grammar) KnowsCluster(spelling string) bool {
	_, ok := g.Fleet.Cluster(strings.ToLower(spelling))
	return ok
}

// KnowsPlace reports whether a word is the name of a host or cluster.
func (g *Grammar) KnowsPlace(name string) bool { return g.KnowsHost(name) || g.KnowsCluster(name) }

// Knows reports whether a word is the name of a process, host or cluster.
func (g *Grammar) Knows(spelling string) bool {
	return spelling != "" && (g.KnowsHost(spelling) || g.KnowsCluster(spelling) || g.KnowsProcess(spelling))
}

// HostNames returns the names of all hosts.
func (g *Grammar) HostNames() []string {
	var out []string
	for i := range g.Fleet.Clusters {
		out = append(out, g.Fleet.Clusters[i].HostNames()...)
	}
	return out
}

// ClusterNames returns the names of all clusters.
func (g *Grammar) ClusterNames() []string {
	var out []string
	for i := range g.Fleet.Clusters {
		out = append(out, g.Fleet.Clusters[i].Name)
	}
	return out
}

// SameProcess reports whether two spellings mean the same process in every cluster that
// has both.
func (g *Grammar) SameProcess(a, b string) bool {
	same := false
	for i := range g.Fleet.Clusters {
		p, q := g.Find(&g.Fleet.Clusters[i], a).Process, g.Find(&g.Fleet.Clusters[i], b).Process
		if p == nil || q == nil {
			continue
		}
		if p.ID != q.ID {
			return false
		}
		same = true
	}
	return same
}

// Has reports whether a cluster has all these processes and hosts.
func (g *Grammar) Has(cl *fleet.Cluster, processes, hosts []string) bool {
	for _, n := range processes {
		p := g.Find(cl, n).Process
		if p == nil || len(cl.HostsOf(p.ID)) == 0 {
			return false
		}
	}
	for _, n := range hosts {
		if _, ok := cl.Host(n); !ok {
			return false
		}
	}
	return true
}

// HostsAt returns the hosts that have the typed address. If a DNS name was typed, HostsAt also
// returns the hosts whose name is its first label.
func (g *Grammar) HostsAt(typed string) []string {
	short, _, dotted := strings.Cut(strings.ToLower(typed), ".")
	var out []string
	for i := range g.Fleet.Clusters {
		for _, h := range g.Fleet.Clusters[i].Hosts {
			address, _, err := net.SplitHostPort(h.Address)
			if err == nil && address == typed || dotted && h.Name == short {
				out = append(out, h.Name)
			}
		}
	}
	return out
}

// ProcessesLike returns the processes in use that a spelling names or resembles.
func (g *Grammar) ProcessesLike(typed string) []string {
	var out []string
	for i := range g.Fleet.Clusters {
		cl := &g.Fleet.Clusters[i]
		m := g.Find(cl, typed)
		if m.Process != nil {
			return []string{m.Process.ID}
		}
		for _, n := range m.Suggestions {
			if len(cl.HostsOf(n)) > 0 && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// Bind binds a request to a cluster and its catalog.
func (g *Grammar) Bind(r *Request, cl *fleet.Cluster) error {
	cat, ok := g.Catalogs.Get(cl.Catalog)
	if !ok {
		return fmt.Errorf("cluster %s uses the catalog %q, which is not loaded", cl.Name, cl.Catalog)
	}
	r.Cluster, r.Catalog = cl, cat
	return nil
}
