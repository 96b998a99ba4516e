// Package fleet knows the machines: clusters, hosts, which process lives
// where, and when it should be up. It imports nothing of ours.
package fleet

import (
	"net"
	"time"

	"github.com/prometheus/alertmanager/timeinterval"
)

// Fleet is every cluster the bot may reach, in the order of the config file.
type Fleet struct {
	Clusters []Cluster
}

// ACLStore says where a cluster keeps its access control lists. It decides
// whether MariaDB or etcd is a dependency (process-runbooks.md, MariaDB
// section: "If etcd is used for ACLs, then this process is not necessary").
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
	// EtcdQuota is what the database file of an etcd member may grow to
	// (quota-backend-bytes), in bytes; 0 where it is etcd's own default.
	EtcdQuota int64
	Hosts     []Host
	// Up holds, per process, the windows in which it should be up. A process
	// without an entry should be up always.
	Up map[string][]timeinterval.TimeInterval
}

// Host is a machine reached over SSH.
type Host struct {
	Name      string
	Address   string // "host:port"; the port is always present
	Login     string // the SSH user
	Via       string // the jump hosts before it, "login@host:port,…"; "" is a direct connection
	Processes []string
	// Monit overrides how monit is called here, e.g. ["sudo", "monit"]; nil
	// means the catalog's own form.
	Monit []string
	// OldSudo says that sudo here reads no regular expressions, and runs
	// SudoWrapper.
	OldSudo bool
	// EtcdClientDir overrides the directory of the etcd client
	// configurations; "" means the catalog's default.
	EtcdClientDir string
	// EtcdEndpoint is the member whose data the etcd client here saves as a
	// snapshot; "" means the cluster's own choice (Cluster.EtcdEndpoint).
	EtcdEndpoint string
	// LogRoot overrides the directory above the processes' log
	// directories; "" means the catalog's default.
	LogRoot string
	// ClientUpdateReload is the address by which the Client Update Service of
	// the Web API Service here reloads its files; "" means that a
	// person opens it.
	ClientUpdateReload string
	// ThreadDump is the program here that prints what the threads of a pid do,
	// as jstack does; "" means that no thread dump is taken.
	ThreadDump string
}

// Cluster returns the cluster of that name.
func (f *Fleet) Cluster(name string) (*Cluster, bool) {
	for i := range f.Clusters {
		if f.Clusters[i].Name == name {
			return &f.Clusters[i], true
		}
	}
	return nil, false
}

// etcdPort is where etcd serves its clients (etcd-runbook.md:41).
const etcdPort = "2379"

// EtcdEndpoint is the one member to which a command on h that wants a single
// endpoint goes: the host's own setting, else the member on h, else the first
// one of the cluster; "" where the cluster has none.
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

// Host returns the host of that name.
func (c *Cluster) Host(name string) (*Host, bool) {
	for i := range c.Hosts {
		if c.Hosts[i].Name == name {
			return &c.Hosts[i], true
		}
	}
	return nil, false
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

// Runs says whether a process is configured on the host.
func (h *Host) Runs(process string) bool {
	for _, p := range h.Processes {
		if p == process {
			return true
		}
	}
	return false
}

// ShouldBeUp says whether a process is expected to be up at t.
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

// WithPort returns address with port 22 added where it names none.
func WithPort(address string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(address, "22")
}
