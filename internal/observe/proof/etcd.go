package proof

import (
	"fmt"
	"strings"

	"dhbot/internal/observe"
	"dhbot/internal/observe/etcd"
	"dhbot/internal/remote"
)

// etcdStatus reports the members and anomalies.
func etcdStatus(quota int64, r remote.Result) Verdict {
	s, err := etcd.ReadStatus(r)
	if err != nil {
		return Verdict{State: Never, Text: err.Error() + etcdLogin(err)}
	}
	answer := "answer"
	if len(s.Members) == 1 {
		answer = "answers"
	}
	text := fmt.Sprintf("%d of %d members %s", len(s.Members), len(s.Members)+len(s.Missing), answer)
	for _, m := range s.Members {
		if m.Leads() {
			text += ", leader " + m.Endpoint
		}
	}
	if wrong := s.Trouble(quota); len(wrong) > 0 {
		return Verdict{State: Noted, Text: text + ": " + strings.Join(wrong, "; ")}
	}
	text += ", " + s.Agree()
	if room := s.Room(); room != "" {
		text += ", " + room
	}
	return Verdict{State: Met, Text: text}
}

// etcdLogin adds a hint to a time-out for which the client gave no reason.
func etcdLogin(err error) string {
	if strings.HasSuffix(err.Error(), "context deadline exceeded") {
		return "; with access control on, no login works without a quorum"
	}
	return ""
}

// etcdQuorum evaluates whether a majority of the voting members serves requests.
func etcdQuorum(r remote.Result) Verdict {
	rows, err := etcd.ReadHealth(r)
	if err != nil {
		return Verdict{State: Unknown, Text: "unknown: " + err.Error()}
	}
	v := etcd.Count(rows, nil)
	n, reading := len(v.Voters), v.Reading()
	text := fmt.Sprintf("%d of %d members are healthy", reading, n)
	switch ill := etcdIll(v); {
	case n == 0:
		return Verdict{State: Unknown, Text: "unknown: no voting member was queried" + ill}
	case reading < v.Need() && reading+v.Unclear() >= v.Need():
		return Verdict{State: Unknown, Text: "unknown whether there is a quorum: " + text + ill}
	case reading < v.Need() && v.Answering() >= v.Need():
		return Verdict{State: NotYet, Text: fmt.Sprintf("%d of %d members answer, enough for the quorum of %d, but do not serve: %s%s", v.Answering(), n, v.Need(), text, ill)}
	case reading < v.Need():
		return Verdict{State: NotYet, Text: "no quorum: " + text + ill}
	case ill != "":
		return Verdict{State: Noted, Text: "quorum kept: " + text + ill}
	default:
		return Verdict{State: Met, Text: fmt.Sprintf("all %d members are healthy", n)}
	}
}

// etcdIll names the learners, and the members that do not serve normally.
func etcdIll(v etcd.Votes) string {
	var not, alarmed, learners []string
	for _, vote := range v.Voters {
		switch vote.Reply {
		case etcd.Serves:
		case etcd.Alarmed:
			alarmed = append(alarmed, vote.Name+" ("+vote.Why+")")
		case etcd.Silent, etcd.Refuses, etcd.Corrupt, etcd.Unclear, etcd.Learner:
			not = append(not, vote.Name+" ("+vote.Why+")")
		default:
			not = append(not, vote.Name)
		}
	}
	for _, vote := range v.Learners {
		learners = append(learners, vote.Name)
	}
	text := ""
	if len(not) > 0 {
		text += "; not " + strings.Join(not, ", ")
	}
	if len(alarmed) > 0 {
		text += "; with an alarm, serving reads only: " + strings.Join(alarmed, ", ")
	}
	if len(learners) > 0 {
		text += "; a learner, which does not vote: " + strings.Join(learners, ", ")
	}
	return text
}

func etcdAlarms(r remote.Result) Verdict {
	alarms, err := etcd.ReadAlarms(r)
	switch {
	case err != nil && r.Exit != 0:
		return Verdict{State: Never, Text: err.Error()}
	case err != nil:
		return Verdict{State: Unknown, Text: "unknown: " + err.Error()}
	case len(alarms) == 0:
		return Verdict{State: Met, Text: "no alarms"}
	default:
		return Verdict{State: Noted, Text: strings.Join(alarms, "; ")}
	}
}

// etcdMembers stores the list of members for the guard, which is a later step.
func etcdMembers(before []byte, r remote.Result) Verdict {
	list, err := etcd.ReadMembers(r)
	if err != nil {
		return Verdict{State: Unknown, Text: "unknown: " + err.Error()}
	}
	old, _ := recall(before)
	old.Members = list
	text := fmt.Sprintf("voting members: %d", etcd.Voters(list))
	if n := len(list) - etcd.Voters(list); n > 0 {
		text += fmt.Sprintf(", learners: %d", n)
	}
	return Verdict{State: Met, Text: text, Seen: remember(old)}
}

// memberDown reports whether an earlier step saw that the member's systemd unit was down. For this,
// etcd need not answer.
func memberDown(before []byte) bool {
	old, seen := recall(before)
	return seen && (old.State == observe.Down || old.State == observe.Failed || old.State == observe.Recovering)
}

// etcdSpare is the guard before a member is restarted or stopped (etcd-runbook.md:122-126). If the
// member answers, the others must have a quorum without it. A member that does not answer may
// always be restarted, because that is how a quorum is restored. Every reply counts as a vote, even
// a reply with an error: during the alarm NOSPACE etcd calls no member healthy, although all
// members belong to the quorum. A member that cannot be identified counts as answering.
//
// While a leader is elected, no member is healthy for some seconds (measured). So if a member's
// unit runs, the member counts as not answering only if it has not answered during the whole step:
// see TimedOut.
func etcdSpare(names string, before []byte, r remote.Result) Verdict {
	rows, err := etcd.ReadHealth(r)
	if err != nil {
		return Verdict{State: Unknown, Text: "unknown: " + err.Error()}
	}
	old, _ := recall(before)
	v := etcd.Count(rows, old.Members)
	own, votes, found := v.Find(names)
	n := len(v.Voters)
	answering := v.Answering()
	need := v.Need()
	text, ill := fmt.Sprintf("%d of %d members answer", answering, n), etcdIll(v)
	switch {
	case found && !votes:
		return Verdict{State: Met, Text: own.Name + " is a learner: the others lose no vote"}
	case answering == 0 && v.Unclear() == 0 && old.State == observe.Up:
		// The members may still serve. If a certificate has expired, or the network has no route,
		// etcdctl prints the same (measured: only "deadline exceeded").
		return Verdict{State: Unknown, Text: fmt.Sprintf(
			"unknown whether the member serves: its unit runs, but none of %d members answers etcdctl, as with expired certificates%s", n, ill)}
	case answering == 0 && v.Unclear() == 0:
		return Verdict{State: NotYet, Text: fmt.Sprintf("none of %d members answers: there is no quorum to lose%s", n, ill)}
	case found && own.Reply == etcd.Silent:
		return Verdict{State: NotYet, Text: own.Name + " does not serve, so the others are not affected: " + text + ill}
	case n == 1:
		return Verdict{State: Noted, Text: "this is the only member: etcd and Deephaven are down until it is back"}
	case answering-1 >= need && ill != "":
		return Verdict{State: Noted, Text: fmt.Sprintf("%d of %d members remain, a quorum of %d%s", answering-1, n, need, ill)}
	case answering-1 >= need:
		return Verdict{State: Met, Text: fmt.Sprintf("%d of %d members remain, a quorum of %d", answering-1, n, need)}
	case answering-1+v.Unclear() >= need:
		return Verdict{State: Unknown, Text: fmt.Sprintf("unknown whether the others keep a quorum of %d: %s%s", need, text, ill)}
	case answering < need:
		return Verdict{State: NotYet, Text: fmt.Sprintf("there is no quorum to lose: %s, a quorum is %d%s", text, need, ill)}
	default:
		return Verdict{State: Never, Text: fmt.Sprintf("refused: %s, and without this one there would be no quorum of %d; first start the others%s", text, need, ill)}
	}
}

// etcdServes is the first of two checks that a member is back: it serves requests. If the member
// cannot be identified, all members must serve.
func etcdServes(names string, before []byte, r remote.Result) Verdict {
	rows, err := etcd.ReadHealth(r)
	if err != nil {
		return Verdict{State: Unknown, Text: "unknown: " + err.Error()}
	}
	old, _ := recall(before)
	v := etcd.Count(rows, old.Members)
	own, _, found := v.Find(names)
	n := len(v.Voters)
	reading := v.Reading()
	ill := etcdIll(v)
	text := fmt.Sprintf("%d of %d members are", reading, n)
	switch {
	case !found && reading == n && ill == "":
		return Verdict{State: Met, Text: fmt.Sprintf("all %d members are healthy", n)}
	case !found:
		return Verdict{
			State: NotYet,
			Text:  "no endpoint is called " + strings.Join(strings.Fields(names), " or ") + ", and not every member is healthy" + ill,
		}
	case own.Reply == etcd.Serves:
		return Verdict{State: Met, Text: fmt.Sprintf("%s is healthy, %s", own.Name, text)}
	case own.Reply == etcd.Alarmed, own.Reply == etcd.Learner, own.Reply == etcd.Corrupt:
		return Verdict{State: Noted, Text: fmt.Sprintf("%s answers (%s), %s healthy", own.Name, own.Why, text)}
	default:
		return Verdict{State: NotYet, Text: fmt.Sprintf("%s is not healthy (%s)", own.Name, own.Why)}
	}
}

// etcdCaughtUp is the second of two checks that a member is back: it has the leader's term, and
// nearly the highest index (etcd-runbook.md:126-132).
func etcdCaughtUp(names string, quota int64, r remote.Result) Verdict {
	s, err := etcd.ReadStatus(r)
	if err != nil {
		return Verdict{State: Unknown, Text: "unknown: " + err.Error() + etcdLogin(err)}
	}
	look := s.Members
	at := s.Find(names)
	if at >= 0 {
		look = s.Members[at : at+1]
	} else if len(s.Missing) > 0 {
		return Verdict{State: NotYet, Text: fmt.Sprintf("%d of %d members do not answer", len(s.Missing), len(s.Missing)+len(s.Members))}
	}
	furthest := s.Furthest()
	for _, m := range look {
		if m.LeaderID == 0 || m.Behind(furthest) {
			return Verdict{State: NotYet, Text: fmt.Sprintf("%s has term %d, index %d; the furthest member has term %d, index %d", m.Endpoint, m.Term, m.Index, furthest.Term, furthest.Index)}
		}
	}
	text := fmt.Sprintf("caught up: term %d, index %d", furthest.Term, furthest.Index)
	if wrong := s.Trouble(quota); len(wrong) > 0 {
		return Verdict{State: Noted, Text: text + ", but " + strings.Join(wrong, "; ")}
	}
	return Verdict{State: Met, Text: text}
}

// snapshotGood evaluates what etcdctl says about a saved snapshot.
func snapshotGood(file string, r remote.Result) Verdict {
	s, moved, err := etcd.ReadSnapshot(r)
	switch {
	case moved:
		return Verdict{State: Noted, Text: "saved, and not checked: this etcdctl (3.6 or newer) has no snapshot status; on the host, etcdutl snapshot status " + file + " reads it"}
	case err != nil && r.Exit != 0:
		return Verdict{State: Never, Text: "the snapshot cannot be read: " + err.Error()}
	case err != nil:
		return Verdict{State: Unknown, Text: "unknown: " + err.Error()}
	case s.TotalKey == 0:
		return Verdict{State: Never, Text: "the snapshot holds no keys"}
	default:
		return Verdict{State: Met, Text: fmt.Sprintf("the snapshot can be read: revision %d, %d keys, %s", s.Revision, s.TotalKey, etcd.Bytes(s.TotalSize))}
	}
}
