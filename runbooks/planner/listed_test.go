package planner_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dhbot/internal/fleet"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

// TestListedPathsMustMatchTheRequest checks that data of another namespace, table, partition or
// day is never removed, even if a host lists it.
func TestListedPathsMustMatchTheRequest(t *testing.T) {
	cs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	const asked = "/db/Intraday/Order/Event/p1/2018-02-09"
	for path, ok := range map[string]bool{
		asked:                                    true,
		"/db/Intraday/Trade/Event/p1/2018-02-09": false, "/db/Intraday/Order/Other/p1/2018-02-09": false,
		"/db/Intraday/Order/Event/p2/2018-02-09": false, "/db/Intraday/Order/Event/p1/2018-02-10": false,
	} {
		for _, generation := range cs.Names() {
			fl := &fleet.Fleet{Clusters: []fleet.Cluster{{Name: "prod", Catalog: generation, Hosts: []fleet.Host{
				{Name: "infra-1", Address: "10.0.0.5:22", Login: "dhops", Processes: []string{"db_dis"}},
			}}}}
			in := runbooks.Inputs{
				Cluster: "prod", Action: "intraday-cleanup", Process: "db_dis", Hosts: []string{"infra-1"},
				Params: map[string]string{"namespace": "Order", "table": "Event", "partition": "p1", "date": "2018-02-09"},
				Listed: map[string][]string{"paths@infra-1": {path}},
			}
			planner := &planner.Planner{Catalogs: cs, Fleet: fl}
			_, err := planner.Plan(in)
			if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "was not requested") {
				t.Errorf("%s, %s: %v", generation, path, err)
			}
			in.Params["partition"] = "*"
			in.Listed = map[string][]string{"paths@infra-1": {strings.Replace(path, "/p1/", "/p3/", 1)}}
			if _, err := planner.Plan(in); strings.HasPrefix(path, "/db/Intraday/Order/Event/p1/2018-02-09") && err != nil {
				t.Errorf("any partition: %v", err)
			}
		}
	}
}

// TestListedElsewhere: paths listed by a find must be in the directories that it searches,
// even if it selects by name only.
func TestListedElsewhere(t *testing.T) {
	dir := t.TempDir()
	err := os.WriteFile(filepath.Join(dir, "own.yaml"), []byte(`catalog: site
title: A site
monit: [sudo, monit]
paths: {logs: /srv/logs, etcd_client: /srv/etcd}
processes:
  - {id: feed, title: Feed, level: 2, impact: None., manager: monit, service: feed, placement: every}
actions:
  - action: tidy
    title: remove old dumps
    about: host
    class: destructive
    level: 1
    impact: Gone.
    locks: ["{host}/tidy"]
    steps:
      - {kind: list, title: find them, list: dumps, run: [find, /data/dumps, /data/old, -name, "*.dump"], match: '/[A-Za-z0-9_./-]+', most: 50, timeout: 15s}
      - {kind: exec, title: remove them, run: [sudo, rm, "{listed.dumps}"], check: exit 0, timeout: 60s}
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	cs, err := catalogs.Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	planner := &planner.Planner{Catalogs: cs, Fleet: &fleet.Fleet{Clusters: []fleet.Cluster{{Name: "prod", Catalog: "site", Hosts: []fleet.Host{
		{Name: "infra-1", Address: "10.0.0.5:22", Login: "dhops", Processes: []string{"feed"}},
	}}}}}
	for path, ok := range map[string]bool{
		"/data/dumps/a.dump": true, "/data/old/x/b.dump": true,
		"/data/other/a.dump": false, "/data/dumpster/a.dump": false, "/etc/passwd": false, "/data/dumps/../../etc/passwd": false,
		"/data/dumps//a.dump": false, "//etc/passwd": false, "/data/dumps/./a.dump": false, "/": false, "/data": false,
	} {
		in := runbooks.Inputs{Cluster: "prod", Action: "tidy", Hosts: []string{"infra-1"}, Listed: map[string][]string{"dumps@infra-1": {path}}}
		if _, err := planner.Plan(in); (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
	}
}
