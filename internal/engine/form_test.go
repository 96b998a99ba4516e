package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
)

func TestRunFormRoundTrip(t *testing.T) {
	r := engine.Run{V: engine.FormVersion, ID: "R-7F3K", State: engine.Waiting, Reason: "disk < 5 %"}
	b, err := engine.EncodeRun(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := engine.DecodeRun(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != r.ID || got.State != r.State || got.Reason != r.Reason {
		t.Errorf("got %+v", got)
	}
	version := fmt.Sprintf(`"v":%d`, engine.FormVersion)
	for name, bad := range map[string]string{
		"newer form":    strings.Replace(string(b), version, fmt.Sprintf(`"v":%d`, engine.FormVersion+1), 1),
		"unknown field": strings.Replace(string(b), version, version+`,"colour":"red"`, 1),
		"not JSON":      "x",
	} {
		if bad == string(b) {
			t.Fatalf("%s: the test changed nothing", name)
		}
		if _, err := engine.DecodeRun([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, form := range []string{`"v":1`, `"v":2`, `"v":3`} {
		old, err := engine.DecodeRun([]byte(strings.Replace(string(b), version, form, 1)))
		if err != nil || old.V != engine.FormVersion || old.Reason != r.Reason {
			t.Errorf("a run of form %s: %+v, %v", form, old, err)
		}
	}
	r.V = 0
	if _, err := engine.EncodeRun(r); err == nil {
		t.Error("a run without a form version was encoded")
	}
}

func TestRunIDs(t *testing.T) {
	seen := map[string]bool{}
	letters := map[rune]int{}
	for range 3000 {
		id, err := engine.FreshID(1, func(string) (bool, error) { return false, nil })
		if err != nil {
			t.Fatal(err)
		}
		if !engine.ValidID(id) || len(id) != 6 {
			t.Fatalf("minted %q", id)
		}
		seen[id] = true
		for _, c := range id[2:] {
			letters[c]++
		}
	}
	// About six of 3,000 random ids out of 810,000 collide, and never a hundred.
	if len(seen) < 2900 {
		t.Errorf("only %d different ids of 3,000", len(seen))
	}
	if len(letters) != 30 {
		t.Errorf("%d letters in use, want 30: %v", len(letters), letters)
	}
	for _, bad := range []string{"", "R-", "R-7F3", "7F3K", "r-7f3k", "R-7F30", "R-7F3I", "R-7F3K ", "R-7F3K\n", "R-../K", "R-222222222"} {
		if engine.ValidID(bad) {
			t.Errorf("%q is accepted as a run id", bad)
		}
	}
}

func TestRunIDsGrowWhereCrowded(t *testing.T) {
	id, err := engine.FreshID(1, func(id string) (bool, error) { return len(id) < len("R-7F3KMN"), nil })
	if err != nil || len(id) != len("R-7F3KMN") || !engine.ValidID(id) {
		t.Errorf("got %q, %v, want an id of six letters", id, err)
	}
	if id, err := engine.FreshID(1, func(string) (bool, error) { return true, nil }); err == nil {
		t.Errorf("got %q although every id is taken", id)
	}
	down := errors.New("down")
	if _, err := engine.FreshID(1, func(string) (bool, error) { return false, down }); !errors.Is(err, down) {
		t.Errorf("error %v, want the store's", err)
	}
}

func TestChangeCheck(t *testing.T) {
	rec := audit.Link(audit.Record{Run: "R-7F3K", Kind: audit.Requested, At: time.UnixMilli(1)}, 1, "")
	good := engine.Change{Run: engine.Run{ID: "R-7F3K", Records: 1, Head: audit.Hash(rec)}, Records: []audit.Record{rec}}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*engine.Change){
		"id":               func(c *engine.Change) { c.Run.ID = "R-0000" },
		"other run":        func(c *engine.Change) { c.Run.ID = "R-7F3M" },
		"count":            func(c *engine.Change) { c.Run.Records = 2 },
		"head":             func(c *engine.Change) { c.Run.Head = "x" },
		"take and release": func(c *engine.Change) { c.Take, c.Release = []string{"a"}, true },
	} {
		c := good
		spoil(&c)
		if c.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// No minted id makes redaction hide the title of its run. In "R-NPWD: restart" the title would
// look like a password.
func TestIDsAreNoSecrets(t *testing.T) {
	for id, reads := range map[string]bool{"R-NPWD": true, "R-XPWD": true, "R-7F3K": false, "R-PWD2": false} {
		if got := engine.ReadsAsSecret(id); got != reads {
			t.Errorf("%s reads as a secret: %v", id, got)
		}
	}
}
