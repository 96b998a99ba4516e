package audit_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/internal/audit"
)

// TestReport: a report has the requester, the approvers, the commands, and what was done by hand.
// It leaves out a withdrawn approval.
func TestReport(t *testing.T) {
	l := validRestart()
	l[0].Text = `=HYPERLINK("http://x")`
	byHand := l[1]
	byHand.Kind, byHand.Step, byHand.Text = audit.Ticked, 2, "looked at the disk"
	other := l[1]
	other.Person, other.Account = "chris", "T0HOME/chris"
	back := other
	back.Kind = audit.Withdrawn
	list := sealRun(slices.Concat(l[:2], []audit.Record{other, back}, l[2:5], []audit.Record{byHand}, l[5:]))
	all, err := audit.Runs(seq(list), audit.ReportFilter{})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d runs, %v", len(all), err)
	}
	r := all[0]
	if r.Asked.Person != "anna" || len(r.Approved) != 1 || r.Approved[0].Person != "ben" || r.Outcome != "done" || r.First != 1 || r.Last != uint64(len(list)) {
		t.Errorf("report %+v", r)
	}
	if len(r.Ran) != 1 || r.Ran[0].Command != "monit restart db_dis" || r.Ran[0].Outcome != "answered" || len(r.ByHand) != 1 || r.ByHand[0].Text != "looked at the disk" {
		t.Errorf("ran %+v, by hand %+v", r.Ran, r.ByHand)
	}
	for name, c := range map[string]struct {
		filter audit.ReportFilter
		want   int
	}{
		"ben approved":            {audit.ReportFilter{Person: "ben"}, 1},
		"chris withdrew":          {audit.ReportFilter{Person: "chris"}, 0},
		"from after the run":      {audit.ReportFilter{From: at.Add(time.Hour)}, 0},
		"to before the run":       {audit.ReportFilter{To: at}, 0},
		"the time of its end":     {audit.ReportFilter{From: at.Add(95 * time.Second), To: at.Add(time.Hour)}, 1},
		"the time of its request": {audit.ReportFilter{From: at, To: at.Add(time.Second)}, 1},
	} {
		if got, err := audit.Runs(seq(list), c.filter); err != nil || len(got) != c.want {
			t.Errorf("%s: %d runs, %v", name, len(got), err)
		}
	}
	var b bytes.Buffer
	if err := audit.WriteReportCSV(&b, all); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[1]) != len(rows[0]) {
		t.Fatalf("rows %v, %v, want a header and one row", rows, err)
	}
	if reason := rows[1][slices.Index(rows[0], "reason")]; !strings.HasPrefix(reason, "'=") {
		t.Errorf("a spreadsheet computes %q", reason)
	}
	if approved := rows[1][slices.Index(rows[0], "approved")]; !strings.Contains(approved, "ben (slash)") || strings.Contains(approved, "chris") {
		t.Errorf("approved %q", approved)
	}
}
