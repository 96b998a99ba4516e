package audit_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"dhbot/internal/audit"
)

// longTrail makes a trail of n entries. Every twelve entries are one run, a restart on one host.
func longTrail(n int) []audit.Sealed {
	out := make([]audit.Sealed, 0, n)
	var last audit.Sealed
	prev := ""
	for i := range n {
		run, seq := fmt.Sprintf("R-%06d", i/12), i%12+1
		r := audit.Record{
			At: at.Add(time.Duration(i) * time.Second), Run: run, Kind: audit.StepEnded, Person: "anna", Account: "T0DEMO/U0ANNA", Via: "slash",
			Replica: "bot-0", Cluster: "prod", Action: "restart", Target: "db_dis on infra-1", Severity: "Sev 1", Digest: fmt.Sprintf("%064d", i/12),
			Step: 3, Host: "infra-1", Command: "sudo -n -u irisadmin monit restart db_dis", Outcome: "answered",
			Output: fmt.Sprintf("%064d", i), Text: "pid 4711 → 4812, the log says RUNNING",
		}
		if seq == 1 {
			r.Kind, prev = audit.Requested, ""
		}
		r = audit.Link(r, seq, prev)
		prev = audit.Hash(r)
		last = audit.Seal(last, int64(1+i/2), r)
		out = append(out, last)
	}
	return out
}

// BenchmarkVerify reads an export and verifies it.
func BenchmarkVerify(b *testing.B) {
	const n = 200_000
	var export bytes.Buffer
	if err := audit.WriteExport(&export, audit.Header{}, seq(longTrail(n))); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(export.Len()))
	for b.Loop() {
		_, trail, err := audit.ReadExport(bytes.NewReader(export.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		if r, err := audit.Verify(trail, audit.Options{}); err != nil || r.Entries != n {
			b.Fatalf("%d entries: %v", r.Entries, err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
