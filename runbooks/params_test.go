package runbooks

import (
	"strings"
	"testing"
	"time"
)

func TestParams(t *testing.T) {
	long := strings.Repeat("a", 200)
	for _, tt := range []struct {
		p         Param
		good, bad []string
	}{
		{Param{Type: NameParam}, []string{"Order", "_x", "A1"}, []string{"", "1a", "a-b", "a.b", "a b", "é", "a;b", "$(id)", "-rf", "*", "a\n", long}},
		{Param{Type: PartitionParam}, []string{"p.1", "2018", "a-b"}, []string{"", ".", "..", "-a", "*", "a/b", "a b", long}},
		{Param{Type: DateParam}, []string{"2018-02-09", "2024-02-29"}, []string{"", "2023-02-29", "2018-2-9", "2018-13-01", "20180209", "2018-02-09 ", "today"}},
		{Param{Type: IntParam, Min: 1, Max: 500}, []string{"1", "500"}, []string{"", "0", "501", "-1", "+1", "01", "1.0", "1e2", "９", "99999999999999999999"}},
		{Param{Type: ChoiceParam, Choices: []string{"keep", "replace"}}, []string{"keep"}, []string{"", "Keep", "keep replace", "kee"}},
		{Param{Type: UserParam}, []string{"schema-ro", "root"}, []string{"", "-ro", "Root", "a/b", "..", long}},
		{Param{Type: KeyPrefixParam}, []string{"/main/config/", "/main/pq/a.b_c-d/1"}, []string{"", "/", "/main/", "/main/auth/x", "/main/config/../auth", "/main/config/a b", "/main/config/$(id)"}},
		{Param{Type: TextParam}, []string{"OutOfMemory", "a b", "über $(id)", long, strings.Repeat("é", 200)}, []string{"", " a", "-v", "a\nb", "a\x00", "a\u200b", long + "a", strings.Repeat("é", 201)}},
		{Param{Type: "wild"}, nil, []string{"", "x"}},
	} {
		for _, v := range tt.good {
			if want := tt.p.check(v); want != "" {
				t.Errorf("%s %q: %s", tt.p.Type, v, want)
			}
		}
		for _, v := range tt.bad {
			if want := tt.p.check(v); want == "" {
				t.Errorf("%s takes %q", tt.p.Type, v)
			}
		}
	}
}

func TestDatesOfTheFuture(t *testing.T) {
	p := testPlanner(t)
	in := Inputs{Cluster: "site", Action: "clean", Process: "beta", Hosts: []string{"b"},
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
	if want := "clean: date is needed: the day"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
