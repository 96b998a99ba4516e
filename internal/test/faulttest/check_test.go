package faulttest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/sim/hostsim"
	"dhbot/internal/sim/slacklocal"
	"dhbot/runbooks"
)

// judge checks a round from outside, after all work is done, and reports every violation.
func (p *people) judge(st state) {
	p.judgeTrail(st)
	p.judgeCommands(st)
	p.judgeVotes(st)
	p.judgeLocks(st)
	p.judgeActions(st)
	p.judgeMessages(st)
	for _, key := range st.Unsettled {
		p.violation("delivery %s was accepted and never handled", key)
	}
}

// atRest returns what the bot still has to do, or "" if nothing is left.
func atRest(st state) (why string) {
	if len(st.Unsettled) > 0 {
		return "unhandled: " + strings.Join(st.Unsettled, ", ")
	}
	for _, s := range st.Runs {
		switch r := s.Run; {
		case r.State == engine.Unknown && r.ProbedAt == nil:
			return r.ID + " is unknown and was not checked"
		case r.State == engine.Waiting || r.State == engine.Unknown || r.State.Ended():
		default:
			return r.ID + " is " + string(r.State)
		}
		if post := st.Posts[s.Run.ID]; !st.Archived[s.Run.ID] && (post.Rev < s.Rev || post.TS == "") {
			return fmt.Sprintf("the message of %s shows revision %d of %d", s.Run.ID, post.Rev, s.Rev)
		}
	}
	if st.Pending > 0 {
		return fmt.Sprintf("%d records are not sealed", st.Pending)
	}
	for _, e := range st.Trail {
		if e.N > st.Posted && e.Record.Kind != audit.ReadDone {
			return fmt.Sprintf("trail entry %d is not posted (up to %d)", e.N, st.Posted)
		}
	}
	return ""
}

func (p *people) judgeTrail(st state) {
	entries := func(yield func(audit.Sealed, error) bool) {
		for _, e := range st.Trail {
			if !yield(e, nil) {
				return
			}
		}
	}
	if _, err := audit.Verify(entries, audit.Options{}); err != nil {
		p.violation("the trail does not verify: %v", err)
	}
	last := map[string]audit.Record{}
	for _, e := range st.Trail {
		if e.Record.Seq > 0 {
			last[e.Record.Run] = e.Record
		}
	}
	for _, s := range st.Runs {
		if r, ok := last[s.Run.ID]; !ok || r.Seq != s.Run.Records || audit.Hash(r) != s.Run.Head {
			p.violation("%s has %d records, but the trail has %d records of it, or other records", s.Run.ID, s.Run.Records, r.Seq)
		}
	}
}

// command is a command that a host received.
type command struct{ host, line string }

// judgeCommands compares the commands that the hosts executed with the bot's records.
func (p *people) judgeCommands(st state) {
	recorded := map[command][]time.Time{}
	begun := map[string]int{}
	runs := byID(st)
	for _, e := range st.Trail {
		r := e.Record
		if r.Kind != audit.StepStarted {
			continue
		}
		run, ok := runs[r.Run]
		if !ok || r.Step < 1 || r.Step > len(run.Plan.Steps) {
			p.violation("record %d is of step %d of %s, which is not in the store", e.N, r.Step, r.Run)
			continue
		}
		step := run.Plan.Steps[r.Step-1]
		if !step.Changes() {
			continue
		}
		if step.Sent != r.Command || step.Host != r.Host {
			p.violation("record %d has %q on %s, approved was %q on %s", e.N, r.Command, r.Host, step.Sent, step.Host)
		}
		key := fmt.Sprintf("step %d of %s", r.Step, r.Run)
		if begun[key]++; begun[key] > 1 {
			p.violation("%s was begun %d times", key, begun[key])
		}
		c := command{r.Host, r.Command}
		recorded[c] = append(recorded[c], r.At)
	}
	executed := map[command]int{}
	for _, x := range p.hosts.Executed() {
		if !x.Changes {
			continue
		}
		c := command{x.Host, x.Line}
		at := recorded[c]
		n := executed[c]
		executed[c]++
		switch {
		case n >= len(at):
			p.violation("%q on %s was executed %d times, recorded and approved %d times", x.Line, x.Host, n+1, len(at))
		case x.At.Before(at[n]):
			p.violation("%q on %s was executed %s before its record", x.Line, x.Host, at[n].Sub(x.At))
		}
	}
}

func byID(st state) map[string]engine.Run {
	out := map[string]engine.Run{}
	for _, s := range st.Runs {
		out[s.Run.ID] = s.Run
	}
	return out
}

// critical lists the processes that the rounds restart. The value is true if a restart needs a vote
// (process-runbooks.md has the severity of each outage).
var critical = map[string]bool{"db_dis": true, "db_query_server": true, "db_tdcp": true, "iris_controller": true, "db_acl_write_server": false, "db_ltds": false}

var accounts = map[string]string{
	"operator": slacklocal.DemoOperator, "approver": slacklocal.DemoApprover, "approver2": slacklocal.DemoApprover2, "reader": slacklocal.DemoReader,
}

func account(name string) auth.Account {
	return auth.Account{Team: slacklocal.DemoTeam, User: accounts[name]}
}

// judgeVotes checks each run that needs a vote and began a step. Before the first step, someone
// other than the requester must have tapped Approve on the card of this run, and the card must have
// shown the executed commands.
func (p *people) judgeVotes(st state) {
	first := map[string]audit.Sealed{} // the first step of each run
	voted := map[string][]audit.Sealed{}
	for _, e := range st.Trail {
		switch e.Record.Kind {
		case audit.Approved:
			voted[e.Record.Run] = append(voted[e.Record.Run], e)
		case audit.StepStarted:
			if _, ok := first[e.Record.Run]; !ok {
				first[e.Record.Run] = e
			}
		default:
		}
	}
	for id, run := range byID(st) {
		needs, known := critical[run.Inputs.Process]
		if !known {
			p.violation("%s is about %q, which was not requested", id, run.Inputs.Process)
		}
		begin, begun := first[id]
		if !begun || !needs {
			continue
		}
		votes := slices.DeleteFunc(slices.Clone(voted[id]), func(e audit.Sealed) bool {
			return e.N > begin.N || e.Record.Digest != run.Plan.Digest || !p.tapped(e.Record, run)
		})
		if len(votes) == 0 {
			p.violation("%s (%s, asked by %s) began without the vote of another person for its plan %.6s", id, run.Plan.Title, run.Asked.Person, run.Plan.Digest)
		}
	}
}

// tapped reports whether a person who may approve really tapped Approve, on a card that showed the
// executed commands.
func (p *people) tapped(vote audit.Record, run engine.Run) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.actions, func(d *action) bool {
		return d.kind == "approve" && d.run == run.ID && account(d.who).String() == vote.Account &&
			(d.who == "approver" || d.who == "approver2") && account(d.who) != run.Asked.Account && showsAll(d.shown, run)
	})
}

// showsAll reports whether the text of a card has every command of a run that changes something.
func showsAll(shown string, run engine.Run) bool {
	for _, s := range run.Plan.Steps {
		if s.Kind == runbooks.Exec && !strings.Contains(shown, s.Command) {
			return false
		}
	}
	return true
}

func (p *people) judgeLocks(st state) {
	runs := byID(st)
	held := map[string][]string{}
	for _, l := range st.Locks {
		held[l.Run] = append(held[l.Run], l.Name)
		if r, ok := runs[l.Run]; !ok || r.State.Ended() {
			p.violation("lock %s is held by %s, which is not open", l.Name, l.Run)
		}
	}
	for id, r := range runs {
		if r.State == engine.Unknown && len(held[id]) != len(slices.Compact(slices.Sorted(slices.Values(r.Plan.Locks)))) {
			p.violation("%s is unknown and holds %v instead of %v", id, held[id], r.Plan.Locks)
		}
	}
}

// judgeActions checks that every action that Slack delivered to the bot has a visible result. A
// command that only reads is an exception: it is not stored, so it may be lost.
func (p *people) judgeActions(st state) {
	p.mu.Lock()
	actions := slices.Clone(p.actions)
	p.mu.Unlock()
	for _, d := range actions {
		if d.kind != "read" && d.acked && d.answer == "" && !p.seen(d, st) {
			p.violation("%s: %s (%s%s) at %s was acked, but has no result that %s can see", d.who, d.kind, d.tag, d.run, d.at.Format("15:04:05.000"), d.who)
		}
	}
}

func (p *people) seen(d *action, st state) bool {
	list, err := p.slack.Messages(d.where, d.who)
	if err != nil {
		return false
	}
	for _, m := range list {
		// An ephemeral message to this person counts, and so does an answer in the channel.
		if m.User != slackbot && !m.At.Before(d.at) && m.Ephemeral {
			return true
		}
	}
	for _, s := range st.Runs {
		switch {
		case d.kind == "ask" && strings.HasSuffix(s.Run.Reason, d.tag):
			return true // judgeMessages checks its message
		case d.kind == "approve" && d.run == s.Run.ID:
			for _, v := range s.Run.Votes {
				if v.Account == account(d.who) {
					return true
				}
			}
		}
	}
	return false
}

// slackbot is the author of messages by Slack itself, for example that a command failed.
const slackbot = "USLACKBOT"

// judgeMessages checks that the channel has the message of each run, which shows the current state
// of the run. It also checks that the audit channel has every posted trail entry.
func (p *people) judgeMessages(st state) {
	for _, s := range st.Runs {
		post := st.Posts[s.Run.ID]
		list, err := p.slack.Messages(s.Run.Place.Channel, "")
		if err != nil {
			p.violation("the channel cannot be read: %v", err)
			return
		}
		archived := st.Archived[s.Run.ID]
		i := slices.IndexFunc(list, func(m slacklocal.Message) bool {
			return m.TS == post.TS || archived && strings.Contains(words(m), s.Run.ID)
		})
		switch {
		case i < 0:
			p.violation("%s has no message in the channel", s.Run.ID)
		case !archived && post.Rev != s.Rev:
			p.violation("the message of %s shows revision %d of %d", s.Run.ID, post.Rev, s.Rev)
		case !strings.Contains(words(list[i]), s.Run.ID):
			p.violation("the message of %s does not contain this id: %s", s.Run.ID, list[i].Text)
		}
	}
	trail, err := p.slack.Messages("audit", "")
	if err != nil {
		p.violation("the audit channel cannot be read: %v", err)
		return
	}
	var shown strings.Builder
	for _, m := range trail {
		shown.WriteString(words(m))
	}
	for _, e := range st.Trail {
		if e.Record.Kind != audit.ReadDone && !strings.Contains(shown.String(), fmt.Sprintf("#%d", e.N)) {
			p.violation("trail entry %d was never posted", e.N)
		}
	}
}

// executions counts the executed commands that change something, on all hosts.
func executions(list []hostsim.Execution) int {
	n := 0
	for _, x := range list {
		if x.Changes {
			n++
		}
	}
	return n
}
