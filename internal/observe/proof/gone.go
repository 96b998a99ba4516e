package proof

import (
	"fmt"
	"strconv"
	"strings"

	"dhbot/internal/observe"
	"dhbot/internal/observe/complaint"
	"dhbot/internal/remote"
)

// gone checks that the earlier pid of a stopped process is no longer in the host's list of pids
// (`ps -e -o pid=`). monit's report alone does not prove a stop: see stopped.
func gone(r remote.Result, before []byte) Verdict {
	old, known := recall(before)
	v := Verdict{State: Unknown, Seen: before, OldPID: old.PID}
	pids, why := readPIDs(r)
	switch {
	case known && (old.State == observe.Down || old.State == observe.Failed):
		v.State, v.Text = Met, "it was not running"
	case !known || old.PID == 0:
		v.State, v.Text = Noted, "the pid before the stop is unknown, so the end of the process cannot be verified"
	case why != "":
		v.Text = "unknown whether it still runs: " + why
	case pids[old.PID]:
		v.State = NotYet
		v.Text = fmt.Sprintf("pid %d still runs", old.PID)
		v.NewPID = old.PID
	default:
		v.State, v.Text = Met, fmt.Sprintf("pid %d is gone", old.PID)
		down := old.Observation
		down.State = observe.Down
		down.Status = v.Text
		down.PID = 0
		down.At = r.Ended
		v.Seen = remember(memory{Observation: down})
	}
	return v
}

// readPIDs returns the pids in the answer. The second result says why the list is incomplete, or is
// "". If pid 1 is missing, the host hides other users' processes, so the list is incomplete.
func readPIDs(r remote.Result) (map[int]bool, string) {
	switch {
	case r.Outcome != remote.Answered:
		return nil, complaint.NotAnswered(r)
	case r.Exit != 0:
		return nil, complaint.Of(r)
	case r.Stdout.Truncated():
		return nil, "the list of pids is too long"
	}
	pids := map[int]bool{}
	for line := range strings.Lines(r.Stdout.String()) {
		if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && n > 0 {
			pids[n] = true
		}
	}
	if !pids[1] {
		return nil, "the host hides other users' processes"
	}
	return pids, ""
}
