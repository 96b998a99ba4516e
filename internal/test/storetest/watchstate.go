package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
)

// keptNow returns all watch state whose name begins with prefix, as "NAME=DATA " each, and the
// revision of each name.
func (s *suite) keptNow(prefix string) (list string, revs map[string]int64) {
	s.Helper()
	revs = map[string]int64{}
	err := s.WatchState(s.Context(), prefix, func(name string, data []byte, rev int64) error {
		list += name + "=" + string(data) + " "
		revs[name] = rev
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	return list, revs
}

// Watch state is replaced only if the caller knows its current revision. The same change stores
// records and settles the claim.
func testKept(t *testing.T, s *suite) {
	record := audit.Record{At: s.clock.now(), Kind: audit.ReadDone, Person: "anna", Action: "watch", Target: "db_dis"}
	keep := func(name, data string, rev int64, claim string, records ...audit.Record) int64 {
		t.Helper()
		var value []byte
		if data != "" {
			value = []byte(data)
		}
		got, err := s.SetWatchState(t.Context(), name, value, rev, records, claim)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if _, err := s.Claim(t.Context(), "mention/1", []byte("x")); err != nil {
		t.Fatal(err)
	}
	first := keep("follow/prod/db_dis", `{"v":1}`, 0, "mention/1", record)
	keep("follow/prod/db_ltds", `{"v":1,"n":2}`, 0, "", record)
	keep("cluster/prod", `{"v":1,"n":3}`, 0, "", record, record)
	if open := unsettled(t, s); open != "" {
		t.Errorf("unsettled: %s", open)
	}
	list, revs := s.keptNow("follow/")
	if list != `follow/prod/db_dis={"v":1} follow/prod/db_ltds={"v":1,"n":2} ` || revs["follow/prod/db_dis"] != first {
		t.Errorf("kept %s at %v, the first at %d", list, revs, first)
	}
	second := keep("follow/prod/db_dis", `{"v":1,"n":9}`, first, "")
	for what, rev := range map[string]int64{"as new": 0, "over an older one": first} {
		if _, err := s.SetWatchState(t.Context(), "follow/prod/db_dis", []byte("no"), rev, []audit.Record{record}, ""); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("stored %s: %v", what, err)
		}
	}
	if _, err := s.SetWatchState(t.Context(), "follow/prod/db_dis", nil, first, []audit.Record{record}, ""); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("a removal with an older revision was accepted: %v", err)
	}
	if list, _ := s.keptNow("follow/prod/db_dis"); list != `follow/prod/db_dis={"v":1,"n":9} ` {
		t.Errorf("kept %s", list)
	}
	keep("follow/prod/db_dis", "", second, "", record)
	keep("follow/prod/db_dis", "again", 0, "")
	if list, _ := s.keptNow(""); list != `cluster/prod={"v":1,"n":3} follow/prod/db_dis=again follow/prod/db_ltds={"v":1,"n":2} ` {
		t.Errorf("all kept states: %s", list)
	}
	if n := len(s.trail()); n != 5 {
		t.Errorf("%d records, want 5", n)
	}
}

// testKeptFails checks that a call returns an error if it is invalid, or if its context has ended.
func testKeptFails(t *testing.T, s *suite) {
	bad := audit.Record{At: s.clock.now(), Kind: "party", Person: "anna", Action: "watch", Target: "db_dis"}
	if _, err := s.SetWatchState(t.Context(), "cluster/qa", []byte("x"), 0, []audit.Record{bad}, ""); !errors.Is(err, audit.ErrForm) {
		t.Errorf("an invalid record: %v", err)
	}
	if _, err := s.SetWatchState(t.Context(), "", []byte("x"), 0, nil, ""); err == nil {
		t.Error("a state without a name was stored")
	}
	if _, err := s.SetWatchState(t.Context(), "cluster/prod", []byte("x"), 0, nil, ""); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := s.WatchState(t.Context(), "", func(string, []byte, int64) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("the reader's error came back as %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.SetWatchState(ctx, "cluster/qa", []byte("x"), 0, nil, ""); !errors.Is(err, engine.ErrStoreDown) {
		t.Errorf("storing with an ended context: %v", err)
	}
	if err := s.WatchState(ctx, "", nil); !errors.Is(err, engine.ErrStoreDown) {
		t.Errorf("reading with an ended context: %v", err)
	}
}

// Of several concurrent replacements, one succeeds.
func testKeptRace(t *testing.T, s *suite) {
	var won atomic.Int32
	crowd(8, func(i int) {
		_, err := s.SetWatchState(s.Context(), "cluster/prod", []byte(fmt.Sprint(i)), 0, nil, "")
		switch {
		case err == nil:
			won.Add(1)
		case !errors.Is(err, engine.ErrConflict):
			t.Error(err)
		}
	})
	if list, _ := s.keptNow(""); won.Load() != 1 || strings.Count(list, "=") != 1 {
		t.Errorf("%d of 8 stored it: %s", won.Load(), list)
	}
}
