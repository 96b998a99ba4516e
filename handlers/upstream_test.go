package handlers

import (
	"slices"
	"strings"
	"testing"

	"dhbot/internal/fleet"
)

// estate is a cluster like one in Deephaven's documentation: an infra node and two query nodes
// (server-installation-20200121.md:121-155).
func estate(acls fleet.ACLStore) fleet.Cluster {
	query := []string{"log_aggregator_service", "tailer1", "db_tdcp", "db_query_server", "etcd"}
	return fleet.Cluster{Name: "prod", Catalog: "current", ACLs: acls, Hosts: []fleet.Host{
		{Name: "infra-1", Address: "infra-1:22", Login: "dhops", Processes: []string{
			"configuration_server", "authentication_server", "db_acl_write_server", "iris_controller", "log_aggregator_service",
			"tailer1", "db_dis", "db_merge_server", "db_ltds", "status_dashboard", "web_api_service", "etcd", "mariadb",
		}},
		{Name: "query-1", Address: "query-1:22", Login: "dhops", Processes: query},
		{Name: "query-2", Address: "query-2:22", Login: "dhops", Processes: query},
	}}
}

// TestStatusNamesTheCause: a process that is down is shown with the cause. Without a cause
// it is shown with its dependencies.
func TestStatusNamesTheCause(t *testing.T) {
	h := newTestService(t)
	h.Fleet.Clusters[0] = estate(fleet.ACLsInEtcd)
	h.hosts.say = down("configuration_server", "authentication_server", "db_dis")
	if a := h.say("URITA", "status db_dis on infra-1 in prod"); !strings.Contains(a.all(), "Because configuration_server on infra-1 is down and could not be started") {
		t.Errorf("the cause is not named: %q", a.all())
	}
	h.hosts.say = down("db_dis")
	if a := h.say("URITA", "status db_dis on infra-1 in prod"); !strings.Contains(a.all(), "Dependencies running: ") {
		t.Errorf("the dependencies are not shown as running: %q", a.all())
	}
}

// TestDeps checks that `deps` queries the processes in start order and names the dependency that is
// down.
func TestDeps(t *testing.T) {
	h := newTestService(t)
	h.Fleet.Clusters[0] = estate(fleet.ACLsInEtcd)
	h.Fleet.Clusters[0].Hosts[0].Processes = slices.DeleteFunc(h.Fleet.Clusters[0].Hosts[0].Processes, func(p string) bool { return p == "authentication_server" })
	a := h.say("URITA", "deps db_dis in prod")
	text := a.all()
	order := []string{"Dependencies of db_dis · not all observed", "etcd on infra-1", "etcd on query-2", "configuration_server on infra-1", "db_dis on infra-1", "authentication_server runs on no host"}
	for i := range order {
		if at := strings.Index(text, order[i]); at < 0 {
			t.Fatalf("%q is missing in %s", order[i], text)
		} else {
			text = text[at:]
		}
	}
	h.hosts.say = down("configuration_server")
	if a := h.say("URITA", "deps dis in prod"); !strings.Contains(a.all(), "Dependencies of db_dis · configuration_server on infra-1 is down") {
		t.Errorf("got %s", a.all())
	}
}
