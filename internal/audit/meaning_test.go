package audit_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/internal/audit"
)

// rules are a policy in which Sev 1 needs one approval.
func rules() *audit.Rules {
	return &audit.Rules{
		VoteWithin: 15 * time.Minute, StartWithin: 2 * time.Minute,
		Approvals: func(r audit.Record) int {
			if strings.HasPrefix(r.Severity, "Sev 1") {
				return 1
			}
			return 0
		},
	}
}

// sealRun seals the records of one run into a trail with correct hashes.
func sealRun(records []audit.Record) []audit.Sealed {
	var last audit.Sealed
	var out []audit.Sealed
	prev := ""
	for i, r := range records {
		r = audit.Link(r, i+1, prev)
		prev = audit.Hash(r)
		last = audit.Seal(last, int64(i+1), r)
		out = append(out, last)
	}
	return out
}

// validRestart returns the records of a valid Sev 1 restart.
func validRestart() []audit.Record {
	rec := func(kind audit.Kind, after time.Duration, person string) audit.Record {
		r := audit.Record{
			At: at.Add(after), Run: "R-7F3K", Kind: kind, Action: "restart", Target: "db_dis on infra-1",
			Severity: "Sev 1 · Critical", Digest: strings.Repeat("7f", 32),
		}
		if person != "" {
			r.Person = person
			r.Account = "T0HOME/" + person
			r.Via = "slash"
		}
		return r
	}
	started := rec(audit.StepStarted, 90*time.Second, "")
	started.Step, started.Host = 1, "infra-1"
	started.Command = "monit restart db_dis"
	ended := rec(audit.StepEnded, 95*time.Second, "")
	ended.Step, ended.Host = 1, "infra-1"
	ended.Outcome = "answered"
	over := rec(audit.Ended, 96*time.Second, "")
	over.Outcome = "done"
	return []audit.Record{
		rec(audit.Requested, 0, "anna"), rec(audit.Approved, time.Minute, "ben"), rec(audit.Started, 65*time.Second, ""), started, ended, over,
	}
}

// TestMeaning checks that Verify refuses a trail with correct hashes if a run breaks the approval
// rules.
func TestMeaning(t *testing.T) {
	drop := func(l []audit.Record, i int) []audit.Record { return slices.Delete(l, i, i+1) }
	swap := func(l []audit.Record, i, j int) []audit.Record {
		l[i], l[j] = l[j], l[i]
		return l
	}
	for name, c := range map[string]struct {
		change func(l []audit.Record) []audit.Record
		says   string
	}{
		"a valid run": {func(l []audit.Record) []audit.Record { return l }, ""},
		"a Sev 3 run needs no approval": {func(l []audit.Record) []audit.Record {
			for i := range l {
				l[i].Severity = "Sev 3 · Low"
			}
			l = drop(l, 1)
			return l
		}, ""},
		"an approval taken back and given again": {func(l []audit.Record) []audit.Record {
			back, again := l[1], l[1]
			back.Kind = audit.Withdrawn
			return slices.Insert(l, 2, back, again)
		}, ""},
		"no approval":           {func(l []audit.Record) []audit.Record { return drop(l, 1) }, "started with 0 approvals of 1"},
		"approved by requester": {func(l []audit.Record) []audit.Record { l[1].Person = "anna"; return l }, "request of their own"},
		"approved by the requester's account": {func(l []audit.Record) []audit.Record {
			l[1].Account = l[0].Account
			return l
		}, "request of their own"},
		"approved by no person": {func(l []audit.Record) []audit.Record { l[1].Person = ""; return l }, "request of their own"},
		"an approval taken back": {func(l []audit.Record) []audit.Record {
			back := l[1]
			back.Kind = audit.Withdrawn
			return slices.Insert(l, 2, back)
		}, "started with 0 approvals of 1"},
		"another plan approved": {func(l []audit.Record) []audit.Record { l[1].Digest = strings.Repeat("00", 32); return l }, "for another plan"},
		"another plan started":  {func(l []audit.Record) []audit.Record { l[2].Digest = strings.Repeat("00", 32); return l }, "for another plan"},
		"another plan sent":     {func(l []audit.Record) []audit.Record { l[3].Digest = strings.Repeat("00", 32); return l }, "for another plan"},
		"approved too late": {func(l []audit.Record) []audit.Record {
			for i := 1; i < len(l); i++ {
				l[i].At = l[i].At.Add(time.Hour)
			}
			return l
		}, "but at most 15m0s is allowed"},
		"approved before it was asked": {func(l []audit.Record) []audit.Record { l[1].At = at.Add(-time.Hour); return l }, "older than the request"},
		"started too late":             {func(l []audit.Record) []audit.Record { l[2].At = at.Add(time.Hour); return l }, "after its approval"},
		"approved after the start":     {func(l []audit.Record) []audit.Record { return swap(l, 1, 2) }, "started with 0 approvals of 1"},
		"sent before the start":        {func(l []audit.Record) []audit.Record { return swap(l, 2, 3) }, "comes before its start"},
		"never started":                {func(l []audit.Record) []audit.Record { return drop(l, 2) }, "comes before its start"},
		"started after its end": {func(l []audit.Record) []audit.Record {
			expired := l[1]
			expired.Kind = audit.Expired
			return slices.Insert(l, 2, expired)
		}, "comes after its end (expired)"},
		"started after a denial": {func(l []audit.Record) []audit.Record {
			denied := l[1]
			denied.Kind = audit.Denied
			return slices.Insert(l, 2, denied)
		}, "comes after its end (denied)"},
		"no request":      {func(l []audit.Record) []audit.Record { return drop(l, 0) }, "not its request"},
		"requested twice": {func(l []audit.Record) []audit.Record { return slices.Insert(l, 1, l[0]) }, "a second time"},
	} {
		t.Run(name, func(t *testing.T) {
			list := sealRun(c.change(validRestart()))
			_, err := audit.Verify(seq(list), audit.Options{Rules: rules()})
			var broken *audit.BrokenError
			switch {
			case c.says == "" && err != nil:
				t.Errorf("error %v, want a valid trail", err)
			case c.says != "" && (!errors.As(err, &broken) || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%v, want %q", err, c.says)
			}
			if _, err := audit.Verify(seq(list), audit.Options{}); err != nil {
				t.Errorf("without rules: %v", err)
			}
		})
	}
}
