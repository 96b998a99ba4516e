package catalogs

import (
	"strings"
	"testing"

	"dhbot/internal/suggest"
)

func TestFind(t *testing.T) {
	c, _ := builtinCatalogs(t).Get("current")
	for spelling, want := range map[string]string{
		"db_dis": "db_dis", "dis": "db_dis", "DIS": "db_dis", "Db-Dis": "db_dis", " dis ": "db_dis",
		"controller": "iris_controller", "las": "log_aggregator_service", "auth": "authentication_server",
		"config": "configuration_server", "acl": "db_acl_write_server", "tailer": "tailer1", "merge": "db_merge_server",
		"dispatcher": "db_query_server", "tdcp": "db_tdcp", "ltds": "db_ltds", "dashboard": "status_dashboard",
		"webapi": "web_api_service", "cus": "web_api_service", "mysql": "mariadb", "dh-etcd": "etcd",
	} {
		if m := c.Find(spelling); m.Process == nil || m.Process.ID != want {
			t.Errorf("%q: %+v, want %s", spelling, m, want)
		}
	}
	legacy, _ := builtinCatalogs(t).Get("legacy-20200121")
	if m := legacy.Find("cus"); m.Process == nil || m.Process.ID != "client_update_service" {
		t.Errorf("legacy cus: %+v", m)
	}
}

// TestFindNeverGuesses checks that a similar name is only suggested.
func TestFindNeverGuesses(t *testing.T) {
	c, _ := builtinCatalogs(t).Get("current")
	for spelling, first := range map[string]string{
		"db_diss": "db_dis", "dbdis": "db_dis", "db_sid": "db_dis", "conroller": "iris_controller", "contorller": "iris_controller",
		"tail": "tailer1", "authentification": "authentication_server", "merg": "db_merge_server", "mariadb1": "mariadb",
		"db_dis; rm -rf /": "db_dis", "db_ltds|db_tdcp": "db_ltds", "tailer.": "tailer1",
		"$(reboot)": "", "": "", "\n": "", "🦊": "", "zzzzzz": "", strings.Repeat("db_dis", 2000): "",
	} {
		m := c.Find(spelling)
		if m.Process != nil {
			t.Errorf("%q was taken for %s", suggest.Short(spelling), m.Process.ID)
		}
		if len(m.Suggestions) > suggest.Most {
			t.Errorf("%q: %d suggestions", suggest.Short(spelling), len(m.Suggestions))
		}
		if got := strings.Join(m.Suggestions[:min(1, len(m.Suggestions))], ""); got != first {
			t.Errorf("%s: first suggestion %q, want %q (all: %v)", suggest.Short(spelling), got, first, m.Suggestions)
		}
	}
}
