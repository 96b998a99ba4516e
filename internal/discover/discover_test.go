package discover_test

import (
	"slices"
	"strings"
	"testing"

	"dhbot/internal/discover"
	"dhbot/internal/fleet"
	"dhbot/internal/sim/demo"
	"dhbot/internal/sim/hostsim"
	"dhbot/internal/sshexec"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/labtest"
	"dhbot/runbooks/catalogs"
)

func catalog(t *testing.T, name string) *catalogs.Catalog {
	t.Helper()
	all, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	cat, _ := all.Get(name)
	return cat
}

func pool(t *testing.T, c sshexec.Config) *sshexec.Pool {
	t.Helper()
	p, err := sshexec.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// TestSimulatedHosts: discovery finds exactly the processes of the simulated
// fleet.
func TestSimulatedHosts(t *testing.T) {
	for _, generation := range []string{hostsim.Current, hostsim.Legacy} {
		hosts, err := hostsim.Start(hostsim.Config{Generation: generation, Dir: t.TempDir(), Pace: 0.1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = hosts.Close() })
		p := pool(t, sshexec.Config{Credentials: sshroute.Keys(hosts.KeyFile()), KnownHosts: hosts.KnownHosts()})
		for _, want := range demo.Fleet(generation, hosts.Address).Clusters[0].Hosts {
			found, err := discover.Host(t.Context(), p, catalog(t, generation), fleet.Host{Name: want.Name, Address: want.Address, Login: want.Login})
			if err != nil {
				t.Fatal(err)
			}
			same(t, want.Name, found.Host.Processes, want.Processes)
		}
	}
}

func same(t *testing.T, host string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s: found %v\nwant %v", host, got, want)
	}
}

// TestLabDiscover: on real hosts, discovery finds what a person would write by
// hand.
func TestLabDiscover(t *testing.T) {
	byHand := map[string]string{
		"infra": "configuration_server authentication_server db_acl_write_server iris_controller log_aggregator_service tailer1 db_dis db_merge_server db_ltds " +
			"db_tdcp status_dashboard web_api_service client_update_service etcd mariadb",
		"query1": "log_aggregator_service tailer1 db_tdcp db_query_server etcd",
		"query2": "log_aggregator_service tailer1 db_tdcp db_query_server etcd",
	}
	for name, h := range labtest.Hosts(t) {
		p := pool(t, sshexec.Config{Credentials: sshroute.Keys(h.KeyFile), KnownHosts: h.KnownHosts})
		found, err := discover.Host(t.Context(), p, catalog(t, "current"), fleet.Host{Name: name, Address: h.Address, Login: h.Login})
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(strings.Fields(byHand[name]), func(id string) bool { _, ok := catalog(t, "current").Process(id); return !ok })
		same(t, name, found.Host.Processes, want)
		t.Logf("%s: dir %q, unknown %v, notes %v", name, found.Host.EtcdClientDir, found.Unknown, found.Notes)
	}
}
