package fleet

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/timeinterval"
)

// Fleet has all configured clusters, in the order of the config file.
type Fleet struct {
	Clusters []Cluster
}

// ACLStore is where a cluster stores its access control lists. It determines whether MariaDB or
// etcd is a dependency (process-runbooks.md, MariaDB section: "If etcd is used for ACLs, then
// this process is not necessary").
type ACLStore string

// The closed set of ACL stores.
const (
	ACLsInEtcd  ACLStore = "etcd"
	ACLsInMySQL ACLStore = "mysql"
)

// Cluster is one Deephaven installation.
type Cluster struct {
	Name    string
	Catalog string // name of the runbook catalog, e.g. "current"
	ACLs    ACLStore
	// EtcdQuota is the maximum size of an etcd member's database file (quota-backend-bytes), in
	// bytes; 0 means etcd's default.
	EtcdQuota int64
	Hosts     []Host
	// Up maps the name of a process to the times when it should be up. A process without an entry
	// should always be up.
	Up map[string][]timeinterval.TimeInterval
}

// Host is a machine that the bot reaches over SSH.
type Host struct {
	Name      string
	Address   string // "host:port"; the port is always present
	Login     string // the SSH user
	Via       string // the jump hosts, "login@host:port,…"; "" is a direct connection
	Processes []string
	// Monit is the command that runs monit on this host, e.g. ["sudo", "monit"]; nil means the
	// command in the catalog.
	Monit []string
	// OldSudo means that this host's sudo does not support regular expressions, so the bot's sudo
	// commands run SudoWrapper.
	OldSudo bool
	// EtcdClientDir overrides the directory of the etcd client configurations; "" means the
	// catalog's default.
	EtcdClientDir string
	// EtcdEndpoint is the etcd member from which the etcd client on this host saves a snapshot. If
	// it is "", Cluster.EtcdEndpoint chooses the member.
	EtcdEndpoint string
	// LogRoot overrides the directory above the processes' log directories; "" means the
	// catalog's default.
	LogRoot string
	// ClientUpdateReload is the URL that makes the Web API Service on this host reload the files of
	// its Client Update Service; "" means that a person must open the URL.
	ClientUpdateReload string
	// ThreadDump is the program on this host that prints the threads of a pid, as jstack does;
	// "" disables thread dumps.
	ThreadDump string
}

// Cluster returns the cluster with the given name. The second result reports whether there is one.
func (f *Fleet) Cluster(name string) (*Cluster, bool) {
	for i := range f.Clusters {
		if f.Clusters[i].Name == name {
			return &f.Clusters[i], true
		}
	}
	return nil, false
}

// etcdPort is etcd's client port (etcd-runbook.md:41).
const etcdPort = "2379"

// EtcdEndpoint returns the etcd member for a command on h that needs a single endpoint. This is
// h.EtcdEndpoint if it is set, else the member on h, else the first member of the cluster. The
// result is "" if the cluster has no members.
func (c *Cluster) EtcdEndpoint(h *Host) string {
	if h.EtcdEndpoint != "" {
		return h.EtcdEndpoint
	}
	member := h
	if !h.Runs("etcd") {
		all := c.HostsOf("etcd")
		if len(all) == 0 {
			return ""
		}
		member = all[0]
	}
	name, _, err := net.SplitHostPort(member.Address)
	if err != nil {
		return ""
	}
	return "https://" + net.JoinHostPort(name, etcdPort)
}

// Host returns the host with the given name. The second result reports whether there is one.
func (c *Cluster) Host(name string) (*Host, bool) {
	for i := range c.Hosts {
		if c.Hosts[i].Name == name {
			return &c.Hosts[i], true
		}
	}
	return nil, false
}

// FindHost finds a host by its name, "HOST" or "CLUSTER/HOST". If several clusters have a host of
// that name, it accepts only "CLUSTER/HOST".
func (f *Fleet) FindHost(name string) (*Cluster, *Host, error) {
	cluster, host, qualified := strings.Cut(name, "/")
	if !qualified {
		cluster, host = "", name
	}
	var cl *Cluster
	var found *Host
	var all, several []string
	for i := range f.Clusters {
		for j := range f.Clusters[i].Hosts {
			c, h := &f.Clusters[i], &f.Clusters[i].Hosts[j]
			all = append(all, c.Name+"/"+h.Name)
			if h.Name == host && (!qualified || c.Name == cluster) {
				cl, found = c, h
				several = append(several, c.Name+"/"+h.Name)
			}
		}
	}
	switch {
	case len(several) > 1:
		return nil, nil, fmt.Errorf("several clusters have a host %q: say which, %s", host, strings.Join(several, " or "))
	case found == nil:
		return nil, nil, fmt.Errorf("there is no host %q; there is %s", name, strings.Join(all, ", "))
	default:
		return cl, found, nil
	}
}

// HostNames returns the names of the cluster's hosts, in the order of the config.
func (c *Cluster) HostNames() []string {
	out := make([]string, len(c.Hosts))
	for i := range c.Hosts {
		out[i] = c.Hosts[i].Name
	}
	return out
}

// HostsOf returns the hosts on which a process is configured, in config order.
func (c *Cluster) HostsOf(process string) []*Host {
	var out []*Host
	for i := range c.Hosts {
		if c.Hosts[i].Runs(process) {
			out = append(out, &c.Hosts[i])
		}
	}
	return out
}

// Runs reports whether a process is configured on the host.
func (h *Host) Runs(process string) bool {
	for _, p := range h.Processes {
		if p == process {
			return true
		}
	}
	return false
}

// ShouldBeUp reports whether a process should be up at t.
func (c *Cluster) ShouldBeUp(process string, t time.Time) bool {
	windows, scheduled := c.Up[process]
	if !scheduled {
		return true
	}
	for _, w := range windows {
		if w.ContainsTime(t) {
			return true
		}
	}
	return false
}

// WithPort adds port 22 to an address without a port.
func WithPort(address string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(address, "22")
}
