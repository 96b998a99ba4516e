package hostsim

import (
	"fmt"
	"slices"
	"strings"
)

// The generations of Deephaven that can be simulated. They have the names of the runbook catalogs.
const (
	Current = "current"
	Legacy  = "legacy-20200121"
)

// HostSpec is one simulated host.
type HostSpec struct {
	Name string // as in the fleet, e.g. "infra-1"
	// Listen is the address on which the SSH server of the host listens:
	// "127.0.0.1:0" picks a free port. It must be a loopback address.
	Listen string
	// Processes are the catalog ids of the processes that run on the host, in the order of monit's
	// control file. "etcd" and "mariadb" are systemd units. monit supervises all others.
	Processes []string
	// Own are site-specific services of monit. Processes may contain their names, too.
	Own []Service
}

// Service is a site-specific supervised process.
type Service struct {
	Name  string // the name of the service in monit, as in Processes
	Class string // base name of the application log
	Dir   string // the log directory, below /var/log/deephaven
	User  string // the OS user that runs the process
	Port  int    // 0: the process listens on no port
}

// service has the properties of a process that monit supervises.
type service struct {
	name  string
	class string // base name of the application log
	dir   string // log directory below /var/log/deephaven
	user  string // the OS user that runs the process
	port  int    // 0: the process listens on no port
}

// services are the processes that monit supervises. process-runbooks.md and
// process-runbooks-20200121.md have a section about each of them. Ports and users that the runbooks
// do not name are from the public operations guide. As in real installations, the log of
// db_merge_server is named after its Java class. The log of db_rta is named after the configured
// process.name (process-runbooks-20200121.md, Real Time Aggregator), which is "db_rta" here.
var services = []service{
	{"configuration_server", "ConfigurationServer", "configuration_server", "irisadmin", 22021},
	{"authentication_server", "AuthenticationServer", "authentication_server", "irisadmin", 9031},
	{"db_acl_write_server", "DbAclWriteServer", "acl_write_server", "irisadmin", 9041},
	{"iris_controller", "PersistentQueryController", "iris_controller", "irisadmin", 20126},
	{"log_aggregator_service", "LogAggregatorService", "las", "irisadmin", 22020},
	{"tailer1", "LogtailerMain1", "tailer", "irisadmin", 0},
	{"db_dis", "DataImportServer", "dis", "dbmerge", 22015},
	{"db_rta", "db_rta", "dis", "dbmerge", 22023},
	{"db_merge_server", "RemoteQueryDispatcher", "merge_server", "dbmerge", 30002},
	{"db_query_server", "RemoteQueryDispatcher", "query_server", "dbquery", 20002},
	{"db_ltds", "LocalTableDataServer", "ltds", "dbquery", 22014},
	{"db_tdcp", "TableDataCacheProxy", "tdcp", "dbquery", 22016},
	{"status_dashboard", "StatusDashboard", "status_dashboard", "dbquery", 8112},
	{"web_api_service", "WebServer", "web_api_service", "dbquery", 8123},
	{"client_update_service", "LighttpdCus", "client_update_service", "irisadmin", 8180},
}

// Catalog ids of the two systemd services.
const (
	etcdID    = "etcd"
	mariadbID = "mariadb"
)

// serviceOf finds a service of monit by its catalog id. In the legacy generation, the logs of the
// Web API service are in the directory "misc" (process-runbooks-20200121.md, Web API section).
func serviceOf(id, generation string) (service, bool) {
	i := slices.IndexFunc(services, func(s service) bool { return s.name == id })
	if i < 0 {
		return service{}, false
	}
	s := services[i]
	if generation == Legacy && s.name == "web_api_service" {
		s.dir = "misc"
	}
	return s, true
}

// DefaultLayout returns the hosts of the demo: infra-1, query-1 and query-2. Every process of the
// generation runs on the type of node that the runbooks name (server-installation-20200121.md,
// "Types of nodes"). The dispatcher, the log aggregator and the tailer run on the query nodes, and
// etcd runs on all three. It returns nil for an unknown generation.
//
// For some processes the runbooks do not name a node. The status dashboard, the local table data
// server and MariaDB run on infra-1. The table data cache proxy runs on both query nodes. In the
// legacy generation, only the installation guide names it. In the legacy generation db_rta runs on
// the same node as db_dis.
func DefaultLayout(generation string) []HostSpec {
	infra := []string{
		"configuration_server", "authentication_server", "db_acl_write_server", "iris_controller",
		"log_aggregator_service", "tailer1", "db_dis", "db_merge_server", "db_ltds",
	}
	switch generation {
	case Current:
		infra = append(infra, "status_dashboard", "web_api_service")
	case Legacy:
		infra = append(infra, "db_rta", "web_api_service", "client_update_service")
	default:
		return nil
	}
	query := []string{"log_aggregator_service", "tailer1", "db_tdcp", "db_query_server", etcdID}
	return []HostSpec{
		{Name: "infra-1", Listen: "127.0.0.1:0", Processes: append(infra, etcdID, mariadbID)},
		{Name: "query-1", Listen: "127.0.0.1:0", Processes: query},
		{Name: "query-2", Listen: "127.0.0.1:0", Processes: slices.Clone(query)},
	}
}

// service finds a service of monit by its id. It may be any service of Deephaven, even if the host
// does not run it, or a complete site-specific service of the host.
func (h HostSpec) service(id, generation string) (service, bool) {
	if s, ok := serviceOf(id, generation); ok {
		return s, true
	}
	for _, s := range h.Own {
		if s.Name == id && s.Name != "" && s.Class != "" && s.Dir != "" && s.User != "" {
			return service{s.Name, s.Class, s.Dir, s.User, s.Port}, true
		}
	}
	return service{}, false
}

// checkLayout returns an error that lists every problem of a layout, or nil.
func checkLayout(generation string, hosts []HostSpec) error {
	var wrong []string
	seen := map[string]bool{}
	for _, h := range hosts {
		if h.Name == "" || seen[h.Name] {
			wrong = append(wrong, fmt.Sprintf("host name %q is empty or used twice", h.Name))
		}
		seen[h.Name] = true
		for _, id := range h.Processes {
			if _, ok := h.service(id, generation); !ok && id != etcdID && id != mariadbID {
				wrong = append(wrong, fmt.Sprintf("host %s: no process %q can be simulated", h.Name, id))
			}
		}
	}
	if len(hosts) == 0 {
		wrong = append(wrong, fmt.Sprintf("no hosts are given, and the generation %q has no default layout: write hosts, or the generation %q or %q", generation, Current, Legacy))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("hostsim: %s", strings.Join(wrong, "; "))
	}
	return nil
}
