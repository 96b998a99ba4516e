package sudoers

import (
	"testing"

	"dhbot/internal/fleet"
	"dhbot/internal/sim/hostsim"
	"dhbot/runbooks/catalogs"
)

// demoFiles returns a sudoers file for each host of the demo's fleet, in both generations. It does
// not import the demo, because the demo imports this package.
func demoFiles(t *testing.T, oldSudo bool) (out []*File) {
	t.Helper()
	cs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, generation := range []string{hostsim.Current, hostsim.Legacy} {
		cat, _ := cs.Get(generation)
		cl := fleet.Cluster{Name: "prod", Catalog: generation}
		for _, h := range hostsim.DefaultLayout(generation) {
			cl.Hosts = append(cl.Hosts, fleet.Host{Name: h.Name, Address: h.Name + ":22", Login: hostsim.Login, OldSudo: oldSudo, Processes: h.Processes})
		}
		for i := range cl.Hosts {
			f, err := For(cat, &cl, &cl.Hosts[i], Options{User: "dhops"})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, f)
		}
	}
	return out
}
