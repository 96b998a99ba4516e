package etcdstore_test

import (
	"path/filepath"
	"strings"
	"testing"

	"dhbot/internal/incident"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/sign"
)

// The owner of an incident is signed. The bot ignores and reports a value that another program
// wrote, or copied from another incident. Such a value can be replaced. A rotation of the key keeps
// the owner.
func TestHandlingIsSigned(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	client := raw(t, endpoint)
	key := filepath.Join(t.TempDir(), "state.key")
	if _, err := sign.Create(key); err != nil {
		t.Fatal(err)
	}
	conf := etcdstore.Config{Endpoints: []string{endpoint}, KeyFile: key}
	owned := incident.Handling{V: incident.HandlingVersion, Cluster: "prod", ID: "prod-7", Owner: &incident.Owner{Person: "anna"}}
	path := func(id string) string { return etcdstore.DefaultPrefix + "watch/handling/prod/" + id }
	owner := func(s *etcdstore.Store, id string) (string, int64) {
		t.Helper()
		list, err := incident.Handlings(t.Context(), s, "prod")
		ok(t, err)
		if o := list[id].Owner; o != nil {
			return o.Person, list[id].Rev
		}
		return "", list[id].Rev
	}
	life(t, conf, func(s *etcdstore.Store) {
		data, err := incident.Encode(owned)
		ok(t, err)
		_, err = s.SetWatchState(t.Context(), owned.Name(), data, 0, nil, "")
		ok(t, err)
		if who, _ := owner(s, "prod-7"); who != "anna" {
			t.Fatalf("stored, and owned by %q", who)
		}
		stored, err := client.Get(t.Context(), path("prod-7"))
		ok(t, err)
		good := string(stored.Kvs[0].Value)
		for id, value := range map[string]string{
			"prod-7": strings.Replace(good, "anna", "mole", 1), "prod-8": good,
			"prod-9": `{"v":1,"cluster":"prod","id":"prod-9","opened":"2026-11-28T10:00:00Z","owner":{"person":"mole","since":"2026-11-28T10:00:00Z"}}`,
		} {
			_, err := client.Put(t.Context(), path(id), value)
			ok(t, err)
			who, rev := owner(s, id)
			if who != "" || rev == 0 {
				t.Errorf("%s is owned by %q", id, who)
			}
			if why := healthWhy(t, s); !strings.Contains(why, id) {
				t.Errorf("health does not name %s: %s", id, why)
			}
		}
		_, rev := owner(s, "prod-7")
		_, err = s.SetWatchState(t.Context(), owned.Name(), data, rev, nil, "")
		ok(t, err)
	})
	ok(t, etcdstore.Rotate(t.Context(), conf))
	ok(t, etcdstore.Rotate(t.Context(), conf))
	life(t, conf, func(s *etcdstore.Store) {
		if who, _ := owner(s, "prod-7"); who != "anna" {
			t.Errorf("after a rotation owned by %q", who)
		}
	})
}
