package planner

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"dhbot/runbooks"
)

func TestCatalogView(t *testing.T) {
	p := testPlanner(t)
	c, _ := p.Catalogs.Get("current")
	v, err := c.View()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	type action struct{ Action, Class, Command, Source, Corrected string }
	var got struct {
		Catalog   string
		Processes []struct {
			ID, Title, Impact, Manager, Service, Placement string
			Level                                          int
			Actions                                        []action
		}
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Catalog != "current" || len(got.Processes) != len(c.Processes()) {
		t.Fatalf("%s with %d processes", got.Catalog, len(got.Processes))
	}
	for _, pv := range got.Processes {
		if pv.ID != "db_tdcp" {
			continue
		}
		i := slices.IndexFunc(pv.Actions, func(a action) bool { return a.Action == "restart" })
		a := pv.Actions[max(0, i)]
		if pv.Level != 1 || a.Action != "restart" || a.Class != "disruptive" || a.Source != "process-runbooks.md:415" ||
			a.Command != "sudo -u irisadmin monit restart db_tdcp" || a.Corrected != "the page restarts db_ltds here" {
			t.Errorf("%+v", pv)
		}
	}
	site, _ := p.Catalogs.Get("site")
	v, err = site.View()
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Actions) != 2 || v.Actions[0].Action != "restart-all" || v.Actions[0].Steps[1].Use != "restart" {
		t.Errorf("actions about hosts and clusters: %+v", v.Actions)
	}
	clean := v.Processes[1].Actions[0]
	if !strings.Contains(clean.Steps[0].Command, "/db/Intraday/{param.namespace}/{param.table}") || clean.Steps[0].Sent != "" {
		t.Errorf("%+v", clean.Steps[0])
	}
}

func TestPlanView(t *testing.T) {
	p := testPlanner(t)
	show := func(in runbooks.Inputs) string {
		b, err := json.Marshal(mustPlan(t, p, in).View(1))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	status := show(runbooks.Inputs{Cluster: "prod", Action: "status", Process: "mariadb"})
	for _, part := range []string{
		`"catalog":"current"`, `"class":"read"`, `"severity":1`, `"votes":1`, `"locks":[]`, `"kind":"wait"`, `"host":"infra-1"`, `"login":"dhops"`,
		`"command":"sudo systemctl --no-pager status mariadb"`, `"sent":"env LC_ALL=C timeout -k 5 15 sudo -n systemctl --no-pager status mariadb"`,
		`"timeout":"15s"`, `"check":"answers"`, `"source":"process-runbooks.md:719"`, `"digest":"`,
	} {
		if !strings.Contains(status, part) {
			t.Errorf("no %s in %s", part, status)
		}
	}
	clean := show(runbooks.Inputs{Cluster: "site", Action: "clean", Process: "beta", Hosts: []string{"b"},
		Params: map[string]string{"namespace": "Order", "table": "Event", "date": "2018-02-09"}})
	if !strings.Contains(clean, `"digest":null`) || !strings.Contains(clean, `"steps":[{"kind":"list"`) || !strings.Contains(clean, `"timeout":null`) {
		t.Error(clean)
	}
}
