package cardtest

import (
	"fmt"
	"strings"
	"time"

	"dhbot/internal/card/runcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/runbooks"
)

var (
	operator  = engine.Actor{Person: "operator", Account: account("U0OPERATOR"), Via: "slash"}
	approver  = engine.Actor{Person: "approver", Account: account("U0APPROVER"), Via: "button"}
	approver2 = engine.Actor{Person: "approver2", Account: account("U0APPROVE2"), Via: "button"}
)

const digest = "7f3a9c0e5b1d4c8f7f3a9c0e5b1d4c8f7f3a9c0e5b1d4c8f7f3a9c0e5b1d4c8f"

// restart returns a run that restarts a process on each host in turn.
func restart(process string, hosts ...string) engine.Run {
	p := processes[process]
	r := engine.Run{
		V: engine.FormVersion, ID: "R-7F3K", State: engine.Waiting, Asked: operator, Reason: "disk was full, freed 40 GB",
		Inputs: runbooks.Inputs{Cluster: "prod", Action: "restart", Process: process, Hosts: hosts},
		Plan: runbooks.Plan{Catalog: "current", Cluster: "prod", Action: "restart", Title: "restart " + process,
			Class: runbooks.Disruptive, Severity: p.Level, Impact: p.Impact, Digest: digest},
		Need: 1, RequestedAt: now, VoteBy: now.Add(15 * time.Minute), Records: 1,
	}
	for _, h := range hosts {
		r.Plan.Targets = append(r.Plan.Targets, runbooks.Target{Process: process, Host: h})
		step := runbooks.Step{Process: process, Host: h, Login: "dhops", Manager: runbooks.Monit}
		for _, s := range []runbooks.Step{
			{Kind: runbooks.Wait, Title: "check that monit answers and monitors the process", Until: runbooks.Supervised},
			{Kind: runbooks.Exec, Command: "sudo -u irisadmin monit restart " + process},
			{Kind: runbooks.Wait, Title: "wait until up with a new pid", Until: runbooks.Restarted, Within: runbooks.Duration(3 * time.Minute)},
			{Kind: runbooks.Wait, Title: "wait for RUNNING in its log", Until: runbooks.Ready, Within: runbooks.Duration(2 * time.Minute)},
		} {
			s.Process, s.Host, s.Login, s.Manager = step.Process, step.Host, step.Login, step.Manager
			r.Plan.Steps = append(r.Plan.Steps, s)
			r.Steps = append(r.Steps, engine.Step{State: engine.StepPending})
		}
	}
	return r
}

// said has the results of the four steps of a restart that succeeds.
var said = []string{`answers: monit: "OK", pid 40211`, "accepted", "pid 40211 → 51877", "ready: RUNNING in its log, no errors since"}

// voted returns the run after it was approved with one vote, before it starts.
func voted(r engine.Run) engine.Run {
	at, by := now.Add(40*time.Second), now.Add(160*time.Second)
	r.Votes = []engine.Vote{{Actor: approver, At: at, Digest: digest}}
	r.State, r.ApprovedAt, r.StartBy, r.Records = engine.Approved, &at, &by, 2
	return r
}

// after returns the run while step n+1 is in progress. The first n steps are done.
func after(r engine.Run, n int) engine.Run {
	at := now.Add(42 * time.Second)
	r = voted(r)
	r.State, r.StartedAt, r.Records = engine.Running, &at, 3+2*n
	for i := range r.Steps {
		switch {
		case i < n:
			r.Steps[i] = engine.Step{State: engine.StepDone, Text: said[i%len(said)]}
		case i == n:
			r.Steps[i].State = engine.StepStarted
		}
	}
	return r
}

// ended returns the run after it has ended in state s. The argument why is the reason.
func ended(r engine.Run, s engine.State, why string) engine.Run {
	at := now.Add(83 * time.Second)
	r.State, r.EndedAt, r.Why, r.Records = s, &at, why, r.Records+1
	for i := range r.Steps {
		if st := &r.Steps[i].State; *st == engine.StepPending || *st == engine.StepStarted {
			*st = engine.StepSkipped
		}
	}
	return r
}

// destructive returns a run that cannot be undone. It has one of the two votes that it needs.
func destructive() engine.Run {
	r := restart("db_dis", "infra-1")
	r.Plan.Title, r.Plan.Class, r.Need = "clean up the intraday data of 2026-03-13", runbooks.Destructive, 2
	r.Plan.Steps[1].Command = "rm -rf /db/Intraday/Market/Trade/*/2026-03-13"
	r.Votes = []engine.Vote{{Actor: approver, At: now.Add(time.Minute), Digest: digest}}
	return r
}

func voteSamples() []Sample {
	beside := restart("db_query_server", "query-1")
	beside.Beside = []string{"query-2", "query-3"}
	beside.Reason = ""
	again := ended(after(restart("db_ltds", "infra-1"), 4), engine.Done, "")
	return []Sample{
		{"approval", runcard.Run(restart("db_dis", "infra-1"))},
		{"approval-first", runcard.Asked(called())},
		{"approval-called", runcard.Run(called())},
		{"approval-reminded", runcard.Run(reminded())},
		{"approval-long", runcard.Run(long())},
		{"approval-two-hosts", runcard.Run(restart("db_query_server", "query-1", "query-2"))},
		{"approval-look-alike", runcard.Run(beside)},
		{"approval-destructive", runcard.Run(destructive())},
		{"approval-most", runcard.Asked(most())},
		{"already-asked", runcard.WithNote(runcard.Run(restart("db_dis", "infra-1")), "The same plan is already open: R-7F3K (waiting for approval). No second run was started.")},
		{"again", runcard.Again(again, command.Fields{Verb: "restart", Targets: []command.FieldTarget{{Process: "db_ltds"}}, Cluster: "prod", Again: true})},
	}
}

// called returns a new run for which two people are mentioned. Its card compares it with the
// previous run.
func called() engine.Run {
	r := restart("db_dis", "infra-1")
	r.Called = callees(approver, approver2)
	r.Last = &engine.LastTime{ID: "R-2C9D", State: engine.Done, Asked: "approver2", At: now.Add(-26 * time.Hour), Among: 50}
	return r
}

func callees(list ...engine.Actor) []engine.Callee {
	var out []engine.Callee
	for _, a := range list {
		out = append(out, engine.Callee{Person: a.Person, Account: a.Account})
	}
	return out
}

// reminded returns the run of called after the first reminder. An approver is looking at it, and
// its plan differs from the plan of the previous run.
func reminded() engine.Run {
	r := called()
	r.Reminders = []engine.Reminder{{N: 1, At: now.Add(3 * time.Minute), Message: "1.2", Called: r.Called[:1]}}
	r.Looking = &engine.Look{Actor: approver, At: now.Add(4 * time.Minute), Round: 1}
	r.Last.State, r.Last.Differs = engine.Partly, []string{"not on query-1", "on infra-1 as dhops, was irisadmin"}
	return r
}

// long returns a run with more steps than a card shows. Its steps have the exact commands that are
// sent.
func long() engine.Run {
	r := restart("tailer1", "infra-1", "query-1", "query-2", "query-3", "query-4", "query-5")
	r.Last = &engine.LastTime{Among: 12}
	r.Plan.Catalog, r.Plan.Locks = "current", []string{"prod/infra-1/monit", "prod/process/tailer1"}
	for i := range r.Plan.Steps {
		st := &r.Plan.Steps[i]
		st.Address, st.Timeout, st.Source = st.Host+".example.com:22", runbooks.Duration(20*time.Second), "process-runbooks.md:292"
		if st.Command != "" {
			st.Sent, st.Check = "timeout 20 sudo -n "+strings.TrimPrefix(st.Command, "sudo "), runbooks.ExitZero
		} else {
			st.Command, st.Sent = "sudo -u irisadmin monit status tailer1", "timeout 20 sudo -n -u irisadmin monit status tailer1"
		}
	}
	return r
}

// most returns a request in which every part has its maximum length.
func most() engine.Run {
	r := long()
	r.Called = callees(approver, approver2, operator)
	r.Reason = strings.Repeat("the disk was full and 40 GB were freed, ", 12)
	r.Plan.Class, r.Need = runbooks.Destructive, 2
	r.Plan.Impact = strings.Repeat("Every running query worker ends and none can start. ", 8)
	r.Beside = []string{"query-6", "query-7", "query-8"}
	r.Last = &engine.LastTime{ID: "R-2C9D", Among: 50, Differs: []string{"not on query-1", "on infra-1 as dhops, was irisadmin"}}
	r.Plan.Steps[1].Command = "sudo -u irisadmin rm -rf " + strings.Repeat("/db/Intraday/Market/Trade/internal/2026-03-13 ", 8)
	return r
}

// remindSamples are messages that the bot posts in the thread of a run.
func remindSamples() []Sample {
	r := called()
	looking := reminded()
	over := voted(reminded())
	under := after(restart("db_query_server", "query-1", "query-2"), 3)
	return []Sample{
		{"reminder", runcard.Reminder(r, 1, r.Called)},
		{"reminder-quiet", runcard.Reminder(looking, 2, nil)},
		{"reminder-over", runcard.Reminded(over, 1)},
		{"approval-ends", runcard.ApprovalEnds(under, under.AnswerableFor())},
		{"approval-ended", runcard.ApprovalEnded(ended(under, engine.Partly, "the approval was valid until 14:38"))},
	}
}

// detailSamples are answers with the details of a plan.
func detailSamples() []Sample {
	short, _ := runcard.Details(called())
	all, _ := runcard.Details(long())
	return []Sample{{"details", short}, {"details-long", all}}
}

// paused returns a run that waits for a person to do its first change.
func paused() engine.Run {
	r := after(restart("db_dis", "infra-1"), 1)
	r.State, r.Worker = engine.Paused, ""
	r.Plan.Steps[1] = runbooks.Step{Kind: runbooks.Manual, Host: "infra-1", Process: "db_dis", Title: "look at the disk: at least 20 GB must be free"}
	return r
}

func runSamples() []Sample {
	queued := voted(restart("db_dis", "infra-1"))
	queued.State, queued.Behind = engine.Queued, "R-2C9D"
	stopping := after(restart("db_dis", "infra-1"), 2)
	stopping.Abort, stopping.Why = &approver, "cancelled by approver: wrong host"
	return []Sample{
		{"approved", runcard.Run(voted(restart("db_dis", "infra-1")))},
		{"queued", runcard.Run(queued)},
		{"running", runcard.Run(after(restart("db_dis", "infra-1"), 2))},
		{"running-long", runcard.Run(after(restart("tailer1", "infra-1", "query-1", "query-2", "query-3", "query-4"), 9))},
		{"running-two-hosts", runcard.Run(after(restart("db_query_server", "query-1", "query-2"), 3))},
		{"paused", runcard.Run(paused())},
		{"stopping", runcard.Run(stopping)},
	}
}

func endSamples() []Sample {
	noted := ended(after(restart("db_dis", "infra-1"), 4), engine.Done, "")
	noted.Steps[3] = engine.Step{
		State: engine.StepNoted, Text: "up, but not ready within 2m0s: its log has no RUNNING since the start; no errors", Exit: new(int), NewPID: 51877,
		Kept: []string{"pid 51877: sleeping, up 2m4s, 812 MB, 143 threads", "thread dump:", "\"main\" waiting on a lock"},
	}
	failed := after(restart("db_dis", "infra-1"), 2)
	failed.Steps[2] = engine.Step{State: engine.StepFailed, Text: "not restarted: same pid 40211 as before; it was probably not stopped (its stop program failed or timed out); read monit's log on the host", OldPID: 40211, NewPID: 40211}
	partly := after(restart("db_query_server", "query-1", "query-2"), 5)
	partly.Steps[5] = engine.Step{State: engine.StepFailed, Text: "nothing was changed: refused by sudo: a password is required"}
	unknown := after(restart("db_dis", "infra-1"), 1)
	unknown.Steps[1] = engine.Step{State: engine.StepUnknown, Text: "unknown whether it ran: the connection was lost"}
	unknown.State, unknown.Why = engine.Unknown, `unknown whether it ran: the connection was lost. Checked at 14:08 UTC: monit: "OK", pid 51877`
	denied := ended(restart("db_dis", "infra-1"), engine.Denied, "not during market hours")
	denied.DenyBy, denied.EndedBy = &approver2, &approver2
	closed := ended(unknown, engine.Closed, "looked at the host, it did restart")
	closed.EndedBy = &approver2
	broughtBack := ended(after(restart("db_dis", "infra-1"), 1), engine.Closed, `from before the restore: the store was reset to an earlier time, or adopted; this store has no record of what the run did after that. Checked at 14:08 UTC: db_dis on infra-1: monit: "OK", pid 51877`)
	cancelled := ended(restart("db_dis", "infra-1"), engine.Cancelled, "cancelled by operator")
	cancelled.EndedBy = &operator
	interrupted := paused()
	interrupted.Steps[1].Started = interrupted.StartedAt
	interrupted = ended(interrupted, engine.Cancelled, "cancelled by operator")
	interrupted.EndedBy = &operator
	return []Sample{
		{"done", runcard.Run(ended(after(restart("db_dis", "infra-1"), 4), engine.Done, ""))},
		{"done-two-hosts", runcard.Run(ended(after(restart("db_query_server", "query-1", "query-2"), 8), engine.Done, ""))},
		{"done-noted", runcard.Run(noted)},
		{"failed", runcard.Run(ended(failed, engine.Failed, failed.Steps[2].Text))},
		{"partly", runcard.Run(ended(partly, engine.Partly, strings.TrimSuffix(partly.Steps[5].Text, ".")+"; not done: db_query_server on query-2"))},
		{"unknown", runcard.Run(unknown)},
		{"closed", runcard.Run(closed)},
		{"closed-restore", runcard.Run(broughtBack)},
		{"closed-restore-told", runcard.Restored(broughtBack)},
		{"decided-told", runcard.DecidedLine(voted(restart("db_dis", "infra-1")))},
		{"done-told", runcard.EndLine(ended(after(restart("db_dis", "infra-1"), 4), engine.Done, ""))},
		{"failed-told", runcard.EndLine(ended(failed, engine.Failed, failed.Steps[2].Text))},
		{"denied", runcard.Run(denied)},
		{"expired", runcard.Run(ended(restart("db_dis", "infra-1"), engine.Expired, "expired: 0 of 1 approvals by 14:22 UTC"))},
		{"refused", runcard.Run(ended(voted(restart("db_dis", "infra-1")), engine.Refused, fmt.Sprintf("the catalog or the config has changed since the request: the plan would now be %s, but %s was requested", "18c2aa", "7f3a9c")))},
		{"cancelled", runcard.Run(cancelled)},
		{"cancelled-manual", runcard.Run(interrupted)},
	}
}
