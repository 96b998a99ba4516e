package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
)

// maintenance returns a maintenance announcement that begins now and lasts the given number of
// hours.
func (s *suite) maintenance(cluster, process, host string, hours int) fleet.Maintenance {
	from := s.clock.now()
	return fleet.Maintenance{
		Cluster: cluster, Process: process, Host: host, From: from, Until: from.Add(time.Duration(hours) * time.Hour),
		By: "anna", Reason: "disk “swap” <b>",
	}
}

// announced returns the audit record of a maintenance announcement.
func (s *suite) announced() audit.Record {
	return audit.Record{At: s.clock.now(), Kind: audit.Announced, Person: "anna", Action: "maintenance", Target: "db_dis"}
}

func (s *suite) listMaintenance() []fleet.Maintenance {
	s.Helper()
	got, err := s.Maintenance(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return got
}

func testMaintenance(t *testing.T, s *suite) {
	window, record, list := s.maintenance, s.announced(), s.listMaintenance
	set := func(m fleet.Maintenance, claim string) {
		t.Helper()
		if err := s.SetMaintenance(t.Context(), m, record, claim); err != nil {
			t.Fatal(err)
		}
	}
	if got := list(); len(got) != 0 {
		t.Fatalf("an empty store has %v", got)
	}
	if _, err := s.Claim(t.Context(), "slash/1", []byte("x")); err != nil {
		t.Fatal(err)
	}
	set(window("prod", "tailer1", "query-1", 1), "slash/1")
	set(window("qa", "db_dis", "", 1), "")
	set(window("prod", "tailer1", "", 1), "")
	set(window("prod", "db_dis", "", 1), "")
	set(window("prod", "db_dis", "", 3), "") // replaces the first announcement
	want := []fleet.Maintenance{window("prod", "db_dis", "", 3), window("prod", "tailer1", "", 1), window("prod", "tailer1", "query-1", 1), window("qa", "db_dis", "", 1)}
	if diff := cmp.Diff(want, list()); diff != "" {
		t.Error(diff)
	}
	if open := unsettled(t, s); open != "" {
		t.Errorf("unsettled: %s", open)
	}
	for range 2 { // a repeated end is not an error
		if err := s.EndMaintenance(t.Context(), window("prod", "tailer1", "", 0), record, ""); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]fleet.Maintenance{want[0], want[2], want[3]}, list()); diff != "" {
		t.Error(diff)
	}
	if n := len(s.trail()); n != 7 {
		t.Errorf("%d records, want one for each of 7 changes", n)
	}
}

// testMaintenanceFails checks that a change stores nothing if its record is invalid or the context
// has ended.
func testMaintenanceFails(t *testing.T, s *suite) {
	one, record := s.maintenance("prod", "etcd", "", 1), s.announced()
	bad := record
	bad.Kind = "party"
	if err := s.SetMaintenance(t.Context(), one, bad, ""); !errors.Is(err, audit.ErrForm) {
		t.Errorf("without a record: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.EndMaintenance(ctx, one, record, ""); !errors.Is(err, engine.ErrStoreDown) {
		t.Errorf("end: %v, want ErrStoreDown", err)
	}
	for i := range 300 { // a single try could pass by chance: etcd may or may not make a change with an ended context
		one := s.maintenance("prod", "etcd", fmt.Sprint("host-", i), 1)
		if err := s.SetMaintenance(ctx, one, record, ""); !errors.Is(err, engine.ErrStoreDown) {
			t.Errorf("set: %v, want ErrStoreDown", err)
		}
	}
	if _, err := s.Maintenance(ctx); !errors.Is(err, engine.ErrStoreDown) {
		t.Errorf("list: %v, want ErrStoreDown", err)
	}
	if _, _, err := s.OpenWork(ctx); !errors.Is(err, engine.ErrStoreDown) {
		t.Errorf("open work: %v, want ErrStoreDown", err)
	}
	if got := s.listMaintenance(); len(got) != 0 {
		t.Errorf("stored: %v", got)
	}
}

// testWindow checks that a maintenance window keeps its approver, and that a store does not
// overwrite a change that the caller has not seen.
func testWindow(t *testing.T, s *suite) {
	from := s.clock.now()
	m := fleet.Maintenance{
		Cluster: "prod", Host: fleet.JoinHosts([]string{"query-2", "query-1"}), From: from.Add(time.Hour), Until: from.Add(9 * time.Hour),
		By: "anna", Reason: "rack move", Waits: true, Origin: "1000",
	}
	record := audit.Record{At: from, Kind: audit.Announced, Person: "anna", Action: "maintenance-window", Target: m.Target()}
	stored := func() fleet.Maintenance {
		t.Helper()
		list, err := s.Maintenance(t.Context())
		if err != nil || len(list) != 1 {
			t.Fatalf("%v, %v: want one window", list, err)
		}
		return list[0]
	}
	if err := s.SetMaintenance(t.Context(), m, record, ""); err != nil {
		t.Fatal(err)
	}
	first := stored()
	m.Rev = first.Rev
	if diff := cmp.Diff(m, first); diff != "" || m.Rev == 0 {
		t.Errorf("revision %d: %s", m.Rev, diff)
	}
	approved := first
	approved.Waits, approved.Approver = false, "ben"
	if err := s.SetMaintenance(t.Context(), approved, record, ""); err != nil {
		t.Fatal(err)
	}
	again := m
	again.Rev = 0
	for what, err := range map[string]error{
		"approving a changed window": s.SetMaintenance(t.Context(), approved, record, ""),
		"asking again":               s.SetMaintenance(t.Context(), again, record, ""),
		"ending a changed window":    s.EndMaintenance(t.Context(), first, record, ""),
	} {
		if !errors.Is(err, engine.ErrConflict) {
			t.Errorf("%s: %v, want ErrConflict", what, err)
		}
	}
	now := stored()
	if now.Waits || now.Approver != "ben" || now.Rev == first.Rev {
		t.Errorf("stored is %+v", now)
	}
	if n := len(s.trail()); n != 2 {
		t.Errorf("%d records, want one for each of 2 changes", n)
	}
	if err := s.EndMaintenance(t.Context(), now, record, ""); err != nil {
		t.Fatal(err)
	}
	if err := s.SetMaintenance(t.Context(), approved, record, ""); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("approving a cancelled window: %v, want ErrConflict", err)
	}
	if list, err := s.Maintenance(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("after the end, the store still has %v, %v", list, err)
	}
}

// testInHand checks that OpenWork returns the open runs and the announcements.
func testInHand(t *testing.T, s *suite) {
	inHand := func() ([]engine.Stored, []fleet.Maintenance) {
		t.Helper()
		open, announced, err := s.OpenWork(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return open, announced
	}
	if open, announced := inHand(); len(open)+len(announced) != 0 {
		t.Fatalf("an empty store has %v and %v as open work", open, announced)
	}
	first, ended, last := s.start(), s.start(), s.start()
	s.commit(s.next(ended, engine.Done))
	now := s.clock.now()
	window := fleet.Maintenance{Cluster: "prod", Process: "db_dis", From: now, Until: now.Add(time.Hour), By: "anna"}
	record := audit.Record{At: now, Kind: audit.Announced, Person: "anna", Action: "maintenance", Target: "db_dis"}
	if err := s.SetMaintenance(t.Context(), window, record, ""); err != nil {
		t.Fatal(err)
	}
	// The second call checks that the caller may modify the first answer.
	for range 2 {
		open, announced := inHand()
		if diff := cmp.Diff([]engine.Stored{first, last}, open); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]fleet.Maintenance{window}, announced); diff != "" {
			t.Error(diff)
		}
		clear(open)
		clear(announced)
	}
	// A change is visible at once.
	s.commit(s.next(first, engine.Done))
	if err := s.EndMaintenance(t.Context(), window, record, ""); err != nil {
		t.Fatal(err)
	}
	if open, announced := inHand(); len(announced) != 0 || cmp.Diff([]engine.Stored{last}, open) != "" {
		t.Errorf("open work is still %v and %v", open, announced)
	}
}
