package proof

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"dhbot/internal/observe"
	"dhbot/internal/observe/complaint"
	"dhbot/internal/observe/etcd"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/runbooks"
	"dhbot/runbooks/planner"
)

// spaceFloor is how many bytes must be free before a file is written. It is twice the default quota
// of an etcd database (etcd-runbook.md:170).
const spaceFloor = 4 << 30

// byOutput evaluates the conditions that are not about one process: see Condition.AboutProcess.
func byOutput(step runbooks.Step, before []byte, r remote.Result, since time.Time) Verdict {
	switch {
	case step.Until == runbooks.EtcdSpare && memberDown(before):
		return Verdict{State: Met, Text: "it does not run, so the others are not affected"}
	case r.Outcome != remote.Answered:
		return Verdict{State: Unknown, Text: "unknown: " + complaint.NotAnswered(r)}
	case r.Signal != "" || r.Exit == 124 || r.Exit == 137:
		return Verdict{State: Unknown, Text: fmt.Sprintf("unknown: no answer within %s", step.Timeout.D())}
	}
	switch step.Until {
	case runbooks.Shown:
		return shown(step, r)
	case runbooks.Found:
		return found(step, r)
	case runbooks.Nothing:
		return noLines(step, r)
	case runbooks.Something:
		return someLines(step, r)
	case runbooks.Unchanged:
		return unchanged(step, r)
	case runbooks.FileThere:
		return fileThere(step, r)
	case runbooks.SpaceFree:
		return spaceFree(step, r)
	case runbooks.AllUp, runbooks.AllIdle:
		return everyService(step.Until, r, since)
	case runbooks.EtcdStatus:
		return etcdStatus(step.Quota, r)
	case runbooks.EtcdQuorum:
		return etcdQuorum(r)
	case runbooks.EtcdAlarms:
		return etcdAlarms(r)
	case runbooks.EtcdMembers:
		return etcdMembers(before, r)
	case runbooks.EtcdSpare:
		return etcdSpare(step.Member, before, r)
	case runbooks.EtcdServes:
		return etcdServes(step.Member, before, r)
	case runbooks.EtcdCaughtUp:
		return etcdCaughtUp(step.Member, step.Quota, r)
	case runbooks.SnapshotGood:
		return snapshotGood(snapshotFile(step), r)
	default:
		return Verdict{State: Never, Text: fmt.Sprintf("unknown wait condition %q", step.Until)}
	}
}

// failedRead returns the verdict on a read that failed.
func failedRead(step runbooks.Step, r remote.Result) Verdict {
	return Verdict{State: Never, Text: fmt.Sprintf("exit code %d: %s", r.Exit, complaint.OfProgram(program(step), r))}
}

// program returns the name of the program that a step runs.
func program(step runbooks.Step) string {
	for i, words := 0, strings.Fields(step.Command); i < len(words); i++ {
		switch word := words[i]; {
		case word == "-u":
			i++
		case word == "sudo", word == "env", strings.HasPrefix(word, "-"), strings.Contains(word, "="):
		default:
			return word[strings.LastIndexByte(word, '/')+1:]
		}
	}
	return ""
}

func shown(step runbooks.Step, r remote.Result) Verdict {
	if r.Exit != 0 {
		return failedRead(step, r)
	}
	return Verdict{State: Met, Text: countLines(r)}
}

// found evaluates the answer of grep. Exit code 1 means that no line matched. Exit code 2 means
// that an error occurred, even if other files had matches.
func found(step runbooks.Step, r remote.Result) Verdict {
	switch {
	case r.Exit == 0:
		return Verdict{State: Met, Text: countLines(r)}
	case r.Exit == 1 && len(complaint.Lines(r.Stdout))+len(complaint.Lines(r.Stderr)) == 0:
		return Verdict{State: Met, Text: "nothing found"}
	default:
		return failedRead(step, r)
	}
}

func countLines(r remote.Result) string {
	n := len(planner.ListLines(r.Stdout.String()))
	switch {
	case r.Stdout.Truncated():
		return fmt.Sprintf("%d bytes, of which the middle was dropped", r.Stdout.Total)
	case n == 1:
		return "1 line"
	default:
		return fmt.Sprintf("%d lines", n)
	}
}

func noLines(step runbooks.Step, r remote.Result) Verdict {
	lines := planner.ListLines(r.Stdout.String())
	switch {
	case r.Exit != 0:
		return failedRead(step, r)
	case len(lines) == 0:
		return Verdict{State: Met, Text: "nothing there"}
	case len(lines) == 1:
		return Verdict{State: Never, Text: "there is " + redact.Line(lines[0], observe.LineLimit)}
	default:
		return Verdict{State: Never, Text: fmt.Sprintf("there is %s and %d more", redact.Line(lines[0], observe.LineLimit), len(lines)-1)}
	}
}

func someLines(step runbooks.Step, r remote.Result) Verdict {
	v := shown(step, r)
	if v.State == Met && len(planner.ListLines(r.Stdout.String())) == 0 {
		return Verdict{State: Never, Text: "there is nothing"}
	}
	return v
}

// unchanged compares a list with the list that the approvers saw before they voted.
func unchanged(step runbooks.Step, r remote.Result) Verdict {
	switch {
	case r.Exit != 0:
		return failedRead(step, r)
	case r.Stdout.Truncated():
		return Verdict{State: Never, Text: "the list is too long to compare"}
	case step.Expect == "" || planner.ListHash(planner.ListLines(r.Stdout.String())) != step.Expect:
		return Verdict{State: Never, Text: "the list has changed since it was shown, so nothing was removed; request it again to see the current list"}
	default:
		return Verdict{State: Met, Text: "the list has not changed since it was shown"}
	}
}

// fileThere parses `stat -c %s FILE`.
func fileThere(step runbooks.Step, r remote.Result) Verdict {
	if r.Exit != 0 {
		return Verdict{State: Never, Text: "not there: " + complaint.OfProgram(program(step), r)}
	}
	lines := planner.ListLines(r.Stdout.String())
	if len(lines) > 0 {
		// The size is the last line, because a login shell may print lines before it.
		if n, err := strconv.ParseInt(lines[len(lines)-1], 10, 64); err == nil {
			if n == 0 {
				return Verdict{State: Never, Text: "the file exists, but is empty"}
			}
			return Verdict{State: Met, Text: "there, " + etcd.Bytes(n)}
		}
	}
	return Verdict{State: Unknown, Text: "unknown: the answer has no file size: " + complaint.Of(r)}
}

// spaceFree parses the last line of `df -P -k DIRECTORY`: file system, size, used, available (all
// in KiB), percent, mount point.
func spaceFree(step runbooks.Step, r remote.Result) Verdict {
	if r.Exit != 0 {
		return failedRead(step, r)
	}
	lines := planner.ListLines(r.Stdout.String())
	if len(lines) > 0 {
		f := strings.Fields(lines[len(lines)-1])
		if len(f) >= 6 && strings.HasSuffix(f[4], "%") {
			if kib, err := strconv.ParseInt(f[3], 10, 64); err == nil && kib < 1<<52 {
				at := redact.Line(strings.Join(f[5:], " "), observe.LineLimit)
				if kib<<10 < spaceFloor {
					return Verdict{
						State: Never,
						Text:  fmt.Sprintf("only %s free on %s; at least %s are required", etcd.Bytes(kib<<10), at, etcd.Bytes(spaceFloor)),
					}
				}
				return Verdict{State: Met, Text: etcd.Bytes(kib<<10) + " free on " + at}
			}
		}
	}
	return Verdict{State: Unknown, Text: "unknown: df's answer could not be parsed: " + complaint.Of(r)}
}

// everyService parses the complete output of `monit summary`, and checks that every service is up,
// or that every service is stopped.
func everyService(until runbooks.Condition, r remote.Result, since time.Time) Verdict {
	if r.Exit != 0 {
		return Verdict{State: Unknown, Text: "unknown: " + complaint.Failure("monit", r)}
	}
	want, word := observe.Up, "up"
	if until == runbooks.AllIdle {
		want, word = observe.NotMonitored, "stopped"
	}
	n := 0
	var not []string
	for _, row := range observe.ParseSummary(r.Stdout.String()) {
		if row.Type == "System" {
			continue
		}
		n++
		if row.State != want || row.Pending {
			not = append(not, redact.Line(row.Name, observe.LineLimit)+" ("+redact.Line(row.Status, observe.LineLimit)+")")
		}
	}
	switch unread := observe.UnreadRows(r.Stdout.String()); {
	case r.Stdout.Truncated():
		return Verdict{State: Unknown, Text: "unknown: monit's summary is too long"}
	case len(unread) > 0:
		return Verdict{State: Unknown, Text: "unknown: monit's summary has a line that could not be parsed: " + unread[0]}
	case n == 0:
		return Verdict{State: Unknown, Text: "unknown: monit's summary has no service"}
	case len(not) > 0:
		return Verdict{State: NotYet, Text: fmt.Sprintf("%d of %d not %s: %s", len(not), n, word, strings.Join(not, ", "))}
	case !since.IsZero() && r.Ended.Sub(since) < settle:
		return Verdict{State: NotYet, Text: fmt.Sprintf("all %d %s, but the request was only a moment ago", n, word)}
	default:
		return Verdict{State: Met, Text: fmt.Sprintf("all %d %s", n, word)}
	}
}

// snapshotFile returns FILE from a command such as "etcdctl snapshot status FILE".
func snapshotFile(step runbooks.Step) string {
	if _, rest, ok := strings.Cut(step.Command, " status "); ok {
		file, _, _ := strings.Cut(rest, " ")
		return file
	}
	return "FILE"
}
