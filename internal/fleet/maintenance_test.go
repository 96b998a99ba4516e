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
		{"before it", all, "prod", "tailer1", "query-2", -time.Second, false},
		{"its last instant", all, "prod", "tailer1", "query-2", 2*time.Hour - 1, true},
		{"its end", all, "prod", "tailer1", "query-2", 2 * time.Hour, false},
	} {
		if got := tt.m.Covers(tt.cluster, tt.process, tt.host, from.Add(tt.after)); got != tt.want {
			t.Errorf("%s: %v", tt.what, got)
		}
		if over := tt.m.Over(from.Add(tt.after)); over && tt.want {
			t.Errorf("%s: over, though it covers", tt.what)
		}
	}
	if all.Target() != "tailer1" || one.Target() != "tailer1@query-1" {
		t.Errorf("targets %q and %q", all.Target(), one.Target())
	}
}
