package demo

import (
	"dhbot/internal/fleet"
	"dhbot/internal/sim/hostsim"
)

// ClusterName is the name of the demo's one cluster.
const ClusterName = "prod"

// Fleet returns the demo's cluster for a catalog: infra-1, query-1 and query-2. The function
// address returns the address of a host's SSH server. If address is nil, each host gets a fixed
// address that no one dials.
func Fleet(generation string, address func(host string) string) *fleet.Fleet {
	acls := fleet.ACLsInEtcd
	if generation == hostsim.Legacy {
		acls = fleet.ACLsInMySQL
	}
	cl := fleet.Cluster{Name: ClusterName, Catalog: generation, ACLs: acls}
	for _, h := range hostsim.DefaultLayout(generation) {
		at := h.Name + ":22"
		if address != nil {
			at = address(h.Name)
		}
		host := fleet.Host{Name: h.Name, Address: at, Login: hostsim.Login, Processes: h.Processes}
		if generation == hostsim.Current && host.Runs("web_api_service") {
			host.ClientUpdateReload = "https://" + h.Name + ":8123/reload/"
		}
		cl.Hosts = append(cl.Hosts, host)
	}
	return &fleet.Fleet{Clusters: []fleet.Cluster{cl}}
}
