package catalogs

import (
	"strings"
	"testing"

	"dhbot/internal/fleet"
)

// TestNeeded checks that the start order is that of the pages: first etcd, then the configuration
// server, the authentication server, and everything else. If MariaDB stores the ACLs, it comes
// before the authentication server (server-installation-20200121.md:298-335,
// process-runbooks.md:650,704).
func TestNeeded(t *testing.T) {
	for _, tt := range []struct {
		catalog, process string
		acls             fleet.ACLStore
		want             string
	}{
		{"current", "etcd", fleet.ACLsInEtcd, ""},
		{"current", "mariadb", fleet.ACLsInMySQL, ""},
		{"current", "configuration_server", fleet.ACLsInEtcd, "etcd"},
		{"current", "authentication_server", fleet.ACLsInEtcd, "etcd configuration_server"},
		{"current", "authentication_server", fleet.ACLsInMySQL, "etcd configuration_server mariadb"},
		{"current", "db_acl_write_server", fleet.ACLsInEtcd, "etcd configuration_server authentication_server"},
		{"current", "db_dis", fleet.ACLsInEtcd, "etcd configuration_server authentication_server"},
		{"current", "tailer1", fleet.ACLsInEtcd, "etcd configuration_server authentication_server db_dis"},
		{"current", "db_query_server", fleet.ACLsInEtcd, "etcd configuration_server authentication_server log_aggregator_service"},
		{"current", "iris_controller", fleet.ACLsInEtcd, "etcd configuration_server authentication_server log_aggregator_service db_query_server"},
		{"current", "web_api_service", fleet.ACLsInMySQL, "etcd configuration_server mariadb authentication_server log_aggregator_service db_query_server"},
		{"legacy-20200121", "authentication_server", fleet.ACLsInMySQL, "etcd configuration_server mariadb"},
		{"legacy-20200121", "db_tdcp", fleet.ACLsInMySQL, "etcd configuration_server db_dis"},
		{"current", "nonsense", fleet.ACLsInEtcd, ""},
	} {
		c, _ := builtinCatalogs(t).Get(tt.catalog)
		if got := strings.Join(c.Needed(tt.process, tt.acls), " "); got != tt.want {
			t.Errorf("%s %s, ACLs in %s: needs %q, want %q", tt.catalog, tt.process, tt.acls, got, tt.want)
		}
	}
}

// TestNeededIsAnOrder checks that every process comes after the processes that it depends on.
func TestNeededIsAnOrder(t *testing.T) {
	for _, c := range builtinCatalogs(t) {
		for _, acls := range []fleet.ACLStore{fleet.ACLsInEtcd, fleet.ACLsInMySQL} {
			for _, p := range c.Processes() {
				up := map[string]bool{}
				for _, id := range append(c.Needed(p.ID, acls), p.ID) {
					q, _ := c.Process(id)
					for _, n := range q.Needs {
						if n.Holds(acls) && !up[n.Process] {
							t.Errorf("%s: to start %s, %s comes before %s, which it needs", c.Name, p.ID, id, n.Process)
						}
					}
					up[id] = true
				}
			}
		}
	}
}

// TestNeededEndsInACycle checks that Needed returns even if a site's own catalog has a cycle.
func TestNeededEndsInACycle(t *testing.T) {
	cs, err := Load(overlay(`catalog: current
processes:
  - {id: configuration_server, needs: [{process: db_dis, source: "ours.md:1"}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	c, _ := cs.Get("current")
	if got := strings.Join(c.Needed("db_dis", fleet.ACLsInEtcd), " "); got != "configuration_server authentication_server" && got != "configuration_server etcd authentication_server" {
		t.Errorf("got %q", got)
	}
}

// TestOptional checks that MariaDB is optional if etcd stores the access control lists
// (process-runbooks.md:704). No other process becomes optional.
func TestOptional(t *testing.T) {
	for _, c := range builtinCatalogs(t) {
		for _, acls := range []fleet.ACLStore{fleet.ACLsInEtcd, fleet.ACLsInMySQL} {
			for _, p := range c.Processes() {
				want := p.ID == "mariadb" && c.Name == "current" && acls == fleet.ACLsInEtcd
				if got := c.Optional(p.ID, acls); got != want {
					t.Errorf("%s, ACLs in %s: %s is optional: %v", c.Name, acls, p.ID, got)
				}
			}
		}
	}
}
