package fleet

import (
	"testing"
	"time"
)

func TestMaintenanceCovers(t *testing.T) {
	from := time.Date(2026, 3, 9, 14, 0, 0, 0, time.UTC)
	all := Maintenance{Cluster: "prod", Process: "tailer1", From: from, Until: from.Add(2 * time.Hour)}
	one := all
	one.Host = "query-1"
	window := Maintenance{Cluster: "prod", Host: JoinHosts([]string{"query-2", "query-1", "query-2"}), From: from, Until: from.Add(2 * time.Hour), By: "anna"}
	whole, waits := window, window
	whole.Host = ""
	waits.Waits = true
	for _, tt := range []struct {
		what                   string
		m                      Maintenance
		cluster, process, host string
		after                  time.Duration
		want                   bool
	}{
		{"every host", all, "prod", "tailer1", "query-2", time.Hour, true},
		{"its host", one, "prod", "tailer1", "query-1", time.Hour, true},
		{"another host", one, "prod", "tailer1", "query-2", time.Hour, false},
		{"another process", all, "prod", "tailer", "query-2", time.Hour, false},
		{"another cluster", all, "qa", "tailer1", "query-2", time.Hour, false},
		{"its first instant", all, "prod", "tailer1", "query-2", 0, true},
		{"before its begin", all, "prod", "tailer1", "query-2", -time.Second, false},
		{"its last instant", all, "prod", "tailer1", "query-2", 2*time.Hour - 1, true},
		{"a window, any process", window, "prod", "db_dis", "query-2", time.Hour, true},
		{"a window, another host", window, "prod", "db_dis", "query-21", time.Hour, false},
		{"a window, another cluster", window, "qa", "db_dis", "query-2", time.Hour, false},
		{"a window, before its begin", window, "prod", "db_dis", "query-2", -time.Second, false},
		{"a window, its end", window, "prod", "db_dis", "query-2", 2 * time.Hour, false},
		{"a window over the cluster", whole, "prod", "db_dis", "infra-1", time.Hour, true},
		{"a window without approval", waits, "prod", "db_dis", "query-2", time.Hour, false},
		{"its end", all, "prod", "tailer1", "query-2", 2 * time.Hour, false},
	} {
		if got := tt.m.Covers(tt.cluster, tt.process, tt.host, from.Add(tt.after)); got != tt.want {
			t.Errorf("%s: %v", tt.what, got)
		}
		if over := tt.m.Over(from.Add(tt.after)); over && tt.want {
			t.Errorf("%s: over, though it covers", tt.what)
		}
	}
	if !waits.Over(from) || waits.Over(from.Add(-1)) {
		t.Error("a window without approval has to end when it would begin")
	}
	approved, other := waits, waits
	approved.Waits, approved.Approver, approved.Rev = false, "ben", 7
	other.Until = other.Until.Add(time.Millisecond)
	if waits.ID() != approved.ID() || waits.ID() == other.ID() || waits.ID() == whole.ID() {
		t.Errorf("ids %s, %s, %s, %s", waits.ID(), approved.ID(), other.ID(), whole.ID())
	}
	if window.Target() != "query-1, query-2" || whole.Target() != "every host" {
		t.Errorf("targets of windows: %q and %q", window.Target(), whole.Target())
	}
	if all.Target() != "tailer1" || one.Target() != "tailer1@query-1" {
		t.Errorf("targets %q and %q", all.Target(), one.Target())
	}
}
