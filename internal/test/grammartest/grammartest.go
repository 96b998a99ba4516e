package grammartest

import (
	"testing"

	"dhbot/internal/command"
	"dhbot/internal/fleet"
	"dhbot/runbooks/catalogs"
)

// New returns a grammar with the clusters prod and qa; the channel C1 is bound to prod, CQ
// to qa.
func New(t testing.TB) *command.Grammar {
	t.Helper()
	catalogs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	host := func(name, address string, processes ...string) fleet.Host {
		return fleet.Host{Name: name, Address: address + ":22", Login: "dhops", Processes: processes}
	}
	g := &command.Grammar{
		Catalogs: catalogs,
		Channels: map[string]string{"C1": "prod", "CQ": "qa"},
		People:   map[string]string{"U0ANNA": "anna"},
		Fleet: &fleet.Fleet{Clusters: []fleet.Cluster{
			{Name: "prod", Catalog: "current", ACLs: fleet.ACLsInEtcd, Hosts: []fleet.Host{
				host("infra-1", "10.0.0.5", "configuration_server", "authentication_server", "iris_controller", "db_dis", "db_ltds", "db_merge_server", "tailer1", "etcd", "mariadb"),
				host("query-1", "10.0.0.6", "db_query_server", "db_tdcp", "tailer1", "etcd"),
				host("query-2", "10.0.0.7", "db_query_server", "db_tdcp", "tailer1", "etcd"),
			}},
			{Name: "qa", Catalog: "legacy-20200121", ACLs: fleet.ACLsInMySQL, Hosts: []fleet.Host{host("qa-1", "10.0.1.5", "db_dis", "client_update_service")}},
		}},
	}
	g.Keep()
	return g
}
