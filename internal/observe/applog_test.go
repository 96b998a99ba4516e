package observe

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/test/answertest"
)

func TestReadLogSamples(t *testing.T) {
	logs := answertest.Read(t, "logs")
	quiet := ReadLog(logs["tail-applog"].Result.Stdout.String(), time.Time{})
	if quiet.Errors != 0 || quiet.Word != "RUNNING" || !quiet.At.Equal(answertest.At("02:38:46").Add(956532*time.Microsecond)) ||
		!quiet.Last.Equal(answertest.At("02:39:17").Add(20145*time.Microsecond)) {
		t.Errorf("tail-applog: %+v", quiet)
	}
	noisy := logs["tail-errors"].Result.Stdout.String()
	all := ReadLog(noisy, time.Time{})
	if all.Errors != strings.Count(noisy, " - ERROR - ") || all.Errors == 0 || !strings.Contains(all.FirstError, "Connection reset by peer") {
		t.Errorf("tail-errors: %+v", all)
	}
	// The caller sets the time from which errors count, because errors during a start are normal.
	if later := ReadLog(noisy, answertest.At("02:39:24")); later.Errors != all.Errors-2 || later.Word != "" {
		t.Errorf("tail-errors since 02:39:24: %+v", later)
	}
}

func FuzzReadLog(f *testing.F) {
	for _, s := range answertest.Read(f, "logs") {
		f.Add(s.Result.Stdout.String())
	}
	f.Fuzz(func(t *testing.T, out string) {
		since := answertest.At("02:39:00")
		log := ReadLog(out, since)
		if log.Word != "" && (log.At.Before(since) || !strings.Contains(out, log.Word[:1])) {
			t.Errorf("%+v from %q", log, out)
		}
		if log.Word == "RUNNING" && !strings.Contains(out, "] - ") {
			t.Errorf("ready from %q", out)
		}
	})
}

// Deephaven's levels above ERROR count as errors, and a stack trace counts
// once, whatever the level of its lines.
func TestLogLevelsAndTraces(t *testing.T) {
	line := func(level, message string) string {
		return "[2026-11-28T11:59:03.123456-0500] - " + level + " - " + message + "\n"
	}
	for _, tt := range []struct {
		name           string
		out            string
		errors, fatals int
	}{
		{"field: STDERR and EMAIL", line("STDERR", "java.lang.OutOfMemoryError: Java heap space") + line("EMAIL", "x"), 2, 0},
		{"all levels", line("FATAL", "x") + line("EMAIL", "x") + line("STDERR", "x") + line("ERROR", "x") + line("WARN", "x") + line("STDOUT", "x") + line("INFO", "x") + line("DEBUG", "x"), 3, 1},
		{"a trace of bare lines", line("ERROR", "cannot connect") + "java.net.ConnectException: refused\n\tat java.net.Socket.connect(Socket.java:1)\nCaused by: x\n\t... 12 more\n", 1, 0},
		{"a trace on STDERR", line("STDERR", "java.lang.OutOfMemoryError") + line("STDERR", "\tat com.illumon.A.b(A.java:1)") + line("STDERR", "\tat com.illumon.C.d(C.java:2)") + line("STDERR", "Caused by: java.io.IOException") + line("STDERR", "\t... 12 more"), 1, 0},
		{"two traces on STDERR", line("STDERR", "java.lang.OutOfMemoryError") + line("STDERR", "\tat x.A.b(A.java:1)") + line("INFO", "between") + line("STDERR", "java.lang.Error") + line("STDERR", "\tat x.A.b(A.java:1)"), 2, 0},
		{"the end of a trace alone", line("STDERR", "\tat x.A.b(A.java:1)") + line("STDERR", "\tat x.A.c(A.java:2)"), 1, 0},
		{"the word in another line", line("INFO", "ERROR and EMAIL are words"), 0, 0},
	} {
		if log := ReadLog(tt.out, time.Time{}); log.Errors != tt.errors || log.Fatals != tt.fatals {
			t.Errorf("%s: %d errors, %d fatal; want %d, %d", tt.name, log.Errors, log.Fatals, tt.errors, tt.fatals)
		}
	}
}
