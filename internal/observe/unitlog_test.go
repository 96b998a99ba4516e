package observe

import (
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/test/answertest"
)

// TestParseUnitLog parses logs of etcd from 3.3 on, of MariaDB and of MySQL, from journalctl and
// from a file: which lines are errors, and their times.
func TestParseUnitLog(t *testing.T) {
	now := time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)
	// The host is five hours behind UTC, and its clock is right.
	pids, err := ReadPids(remote.Result{Outcome: remote.Answered, Ended: now, Stdout: answertest.Output("  1  100 Sun Nov 29 04:58:20 2026\n 99  0 Sun Nov 29 05:00:00 2026\n")})
	if err != nil {
		t.Fatal(err)
	}
	const journal = "Nov 29 04:56:45 infra etcd[452]: "
	at := time.Date(2026, 11, 29, 9, 56, 45, 0, time.UTC)
	for what, tt := range map[string]struct {
		text          string
		errors, fatal int
		last          time.Time
	}{
		"etcd":                         {journal + `{"level":"error","ts":"2026-11-29T04:56:45.000-0500","caller":"x.go:1","msg":"no space"}`, 1, 0, at},
		"etcd, info":                   {journal + `{"level":"info","ts":"2026-11-29T09:56:45.000Z","msg":"the error is gone"}`, 0, 0, at},
		"etcd, warn":                   {journal + `{"level":"warn","ts":"2026-11-29T09:56:45Z","msg":"took too long"}`, 0, 0, at},
		"etcd, fatal":                  {journal + `{"level":"fatal","ts":"2026-11-29T09:56:45.000Z","msg":"corrupt"}`, 0, 1, at},
		"etcd, seconds":                {journal + `{"level":"error","ts":1795946205,"msg":"no space"}`, 1, 0, at},
		"etcd 3.3":                     {journal + "2026-11-29 04:56:45.000000 E | rafthttp: failed", 1, 0, at},
		"etcd 3.3, critical":           {journal + "2026-11-29 04:56:45.000000 C | etcdmain: failed", 0, 1, at},
		"etcd 3.3, info":               {journal + "2026-11-29 04:56:45.000000 I | raft: became leader", 0, 0, at},
		"systemd's own":                {"Nov 29 04:56:45 infra systemd[1]: dh-etcd.service: Failed with result 'exit-code'.", 0, 0, time.Time{}},
		"no time":                      {journal + `{"level":"error","msg":"no space"}`, 0, 0, time.Time{}},
		"not JSON":                     {journal + `{"level":"error","ts":"2026-11-29T09:56:45Z","msg":"cut`, 0, 0, time.Time{}},
		"MariaDB":                      {"2026-11-29  4:56:45 0 [ERROR] InnoDB: Table is corrupt", 1, 0, at},
		"MariaDB, a note":              {"2026-11-29  4:56:45 0 [Note] InnoDB: [ERROR] is a word here", 0, 0, at},
		"MariaDB, a warning":           {"2026-11-29 04:56:45 10 [Warning] Access denied", 0, 0, at},
		"MariaDB 5.5":                  {"261129  4:56:45 [ERROR] mysqld got signal 11 ;", 1, 0, at},
		"MySQL 5.7":                    {"2026-11-29T09:56:45.123456Z 0 [ERROR] InnoDB: Unable to lock", 1, 0, at.Add(123456 * time.Microsecond)},
		"MySQL 8":                      {"2026-11-29T04:56:45.000000-05:00 0 [ERROR] [MY-010123] [Server] Aborting", 1, 0, at},
		"several lines":                {"2026-11-29  4:56:45 0 [ERROR] a\n  with a second line [ERROR]\nVersion: '10.11'", 1, 0, at},
		"lines that are not log lines": {"-- No entries --\nhello [ERROR] world", 0, 0, time.Time{}},
	} {
		span := ParseUnitLog(tt.text+"\n", pids.Place)
		log := span.Since(time.Time{})
		if log.Errors != tt.errors || log.Fatals != tt.fatal || !log.Last.Equal(tt.last) || span.Undated != 0 {
			t.Errorf("%s: %d errors, %d fatal, up to %v, %d undated", what, log.Errors, log.Fatals, log.Last, span.Undated)
		}
	}
	if span := ParseUnitLog("2026-11-29  4:56:45 0 [ERROR] x\n", Pids{}.Place); span.Undated != 1 || len(span.Events) != 0 {
		t.Errorf("without the host's clock: %+v", span)
	}
}
