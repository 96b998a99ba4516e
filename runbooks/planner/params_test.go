package planner

import (
	"strings"
	"testing"
	"time"

	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

func TestParams(t *testing.T) {
	long := strings.Repeat("a", 200)
	for _, tt := range []struct {
		p         catalogs.Param
		good, bad []string
	}{
		{catalogs.Param{Type: catalogs.NameParam}, []string{"Order", "_x", "A1"}, []string{"", "1a", "a-b", "a.b", "a b", "é", "a;b", "$(id)", "-rf", "*", "a\n", long}},
		{catalogs.Param{Type: catalogs.PartitionParam}, []string{"p.1", "2018", "a-b"}, []string{"", ".", "..", "-a", "*", "a/b", "a b", long}},
		{catalogs.Param{Type: catalogs.DateParam}, []string{"2018-02-09", "2024-02-29"}, []string{"", "2023-02-29", "2018-2-9", "2018-13-01", "20180209", "2018-02-09 ", "today"}},
		{catalogs.Param{Type: catalogs.IntParam, Min: 1, Max: 500}, []string{"1", "500"}, []string{"", "0", "501", "-1", "+1", "01", "1.0", "1e2", "９", "99999999999999999999"}},
		{catalogs.Param{Type: catalogs.ChoiceParam, Choices: []string{"keep", "replace"}}, []string{"keep"}, []string{"", "Keep", "keep replace", "kee"}},
		{catalogs.Param{Type: catalogs.UserParam}, []string{"schema-ro", "root"}, []string{"", "-ro", "Root", "a/b", "..", long}},
		{catalogs.Param{Type: catalogs.KeyPrefixParam}, []string{"/main/config/", "/main/pq/a.b_c-d/1"}, []string{"", "/", "/main/", "/main/auth/x", "/main/config/../auth", "/main/config/a b", "/main/config/$(id)"}},
		{catalogs.Param{Type: catalogs.TextParam}, []string{"OutOfMemory", "a b", "über $(id)", long, strings.Repeat("é", 200)}, []string{"", " a", "-v", "a\nb", "a\x00", "a\u200b", long + "a", strings.Repeat("é", 201)}},
		{catalogs.Param{Type: "wild"}, nil, []string{"", "x"}},
	} {
		for _, v := range tt.good {
			if want := tt.p.Check(v); want != "" {
				t.Errorf("%s %q: %s", tt.p.Type, v, want)
			}
		}
		for _, v := range tt.bad {
			if want := tt.p.Check(v); want == "" {
				t.Errorf("%s takes %q", tt.p.Type, v)
			}
		}
	}
}

func TestDatesOfTheFuture(t *testing.T) {
	p := testPlanner(t)
	in := runbooks.Inputs{Cluster: "site", Action: "clean", Process: "beta", Hosts: []string{"b"},
		Params: map[string]string{"namespace": "Order", "table": "Event", "date": "2026-11-22"}}
	p.Now = func() time.Time { return time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC) }
	_, err := p.Plan(in)
	if want := `clean: date="2026-11-22": must not lie in the future`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	p.Now = func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) } // it has begun at UTC+14
	mustPlan(t, p, in)
	delete(in.Params, "date")
	_, err = p.Plan(in)
	if want := "clean: date is missing: the day"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
