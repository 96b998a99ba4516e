package handlers

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"dhbot/internal/fleet"
	"dhbot/runbooks"
)

// clusterOf decides which cluster is meant: the one named, else the one that
// the channel is bound to, else the only one, else the only one that knows
// the names; otherwise the choices are shown.
func (s *Grammar) clusterOf(c *call, in string, names ...string) (*fleet.Cluster, error) {
	if in == "" {
		in = s.Channels[c.Channel]
	}
	if in != "" {
		if cl, ok := s.Fleet.Cluster(in); ok {
			return cl, nil
		}
		return nil, fmt.Errorf("channel %s is bound to the cluster %q, which the config does not have", c.Channel, in)
	}
	if len(s.Fleet.Clusters) == 1 {
		return &s.Fleet.Clusters[0], nil
	}
	var fits []*fleet.Cluster
	for i := range s.Fleet.Clusters {
		if cl := &s.Fleet.Clusters[i]; s.knowsAll(cl, names) {
			fits = append(fits, cl)
		}
	}
	if len(fits) == 1 {
		return fits[0], nil
	}
	if len(fits) == 0 {
		for i := range s.Fleet.Clusters {
			fits = append(fits, &s.Fleet.Clusters[i])
		}
	}
	m := &Misunderstood{Text: "Which cluster? Add `in CLUSTER`."}
	for _, cl := range fits {
		w := []string{c.cmd.Verb}
		if len(names) > 0 && names[0] != "" {
			w = append(w, shownWord(names[0]))
		}
		m.Suggest = append(m.Suggest, strings.Join(append(w, "in", cl.Name), " "))
	}
	return nil, m
}

func (s *Grammar) knowsAll(cl *fleet.Cluster, names []string) bool {
	any := false
	for _, n := range names {
		if n == "" {
			continue
		}
		any = true
		_, host := cl.Host(word(n))
		p := s.find(cl, n).Process
		if !host && (p == nil || len(cl.HostsOf(p.ID)) == 0) && word(n) != cl.Name {
			return false
		}
	}
	return any
}

func (s *Grammar) setCluster(c *call, cl *fleet.Cluster) error {
	cat, ok := s.Catalogs.Get(cl.Catalog)
	if !ok {
		return fmt.Errorf("cluster %s uses the catalog %q, which is not loaded", cl.Name, cl.Catalog)
	}
	c.cluster, c.catalog = cl, cat
	return nil
}

func (s *Grammar) knowsHost(n string) bool { return slices.Contains(s.hostNames(), word(n)) }

func (s *Grammar) knowsCluster(n string) bool { return slices.Contains(s.clusterNames(), word(n)) }

func (s *Grammar) hostNames() []string {
	var out []string
	for i := range s.Fleet.Clusters {
		out = append(out, hostNames(&s.Fleet.Clusters[i])...)
	}
	return out
}

func (s *Grammar) clusterNames() []string {
	var out []string
	for _, c := range s.Fleet.Clusters {
		out = append(out, c.Name)
	}
	return out
}

// processNames are the processes of any catalog in use that a spelling is or
// resembles.
func (s *Grammar) processNames(typed string) []string {
	seen := map[string]bool{}
	for i := range s.Fleet.Clusters {
		m := s.find(&s.Fleet.Clusters[i], typed)
		if m.Process != nil {
			return []string{m.Process.ID}
		}
		for _, n := range m.Suggestions {
			seen[n] = true
		}
	}
	var out []string
	for n := range seen {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// find reads a spelling of a process by the cluster's catalog.
func (s *Grammar) find(cl *fleet.Cluster, typed string) runbooks.Match {
	cat, ok := s.Catalogs.Get(cl.Catalog)
	if !ok {
		return runbooks.Match{}
	}
	return cat.Find(typed)
}

func hostNames(c *fleet.Cluster) []string {
	var out []string
	for _, h := range c.Hosts {
		out = append(out, h.Name)
	}
	return out
}

// shown is something a person typed, made short and quoted for an answer.
func shown(s string) string { return "“" + shownWord(s) + "”" }

func shownWord(s string) string {
	const most = 40
	r := []rune(s)
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func shownRest(w []string) string {
	if len(w) > 3 {
		w = w[:3]
	}
	out := make([]string, len(w))
	for i := range w {
		out[i] = shownWord(w[i])
	}
	return strings.Join(out, " ")
}
