package observe

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"dhbot/internal/observe/complaint"
	"dhbot/internal/remote"
)

// Alive is whether the host has the pid that a supervisor reported.
type Alive uint8

// The values of Alive. The zero value proves nothing.
const (
	AliveUnknown Alive = iota // not checked, or the host hides its processes
	AliveProved               // the process runs
	AliveGone                 // no process has this pid, or another process has it
)

// Pids is the list of a host's processes.
type Pids struct {
	at    time.Time             // when the answer arrived, by the bot's clock
	ages  map[int]time.Duration // how long each has run
	clock time.Time             // the host's local clock at that moment, without its zone
	all   bool                  // includes other users' processes
}

// pidFields is the number of fields of a line. They are the pid, the age in seconds, and the five
// words of the start time, for example "Sat Nov 28 17:01:59 2026".
const pidFields = 7

// ReadPids parses the answer to `ps -e -o pid=,etimes=,lstart=`, or returns why the answer proves
// nothing.
func ReadPids(r remote.Result) (Pids, error) {
	switch {
	case r.Outcome != remote.Answered:
		return Pids{}, fmt.Errorf("the host's processes could not be listed: %s", complaint.NotAnswered(r))
	case r.Exit != 0:
		return Pids{}, fmt.Errorf("the host's processes could not be listed: %s", complaint.Of(r))
	case r.Stdout.Truncated():
		return Pids{}, fmt.Errorf("the list of the host's processes is too long")
	}
	p := Pids{at: r.Ended, ages: map[int]time.Duration{}}
	youngest := time.Duration(-1)
	for line := range strings.Lines(r.Stdout.String()) {
		f := strings.Fields(line)
		if len(f) != pidFields {
			continue // output of a login shell
		}
		pid, err1 := strconv.Atoi(f[0])
		seconds, err2 := strconv.ParseInt(f[1], 10, 64)
		began, err3 := time.Parse("Mon Jan 2 15:04:05 2006", strings.Join(f[2:], " "))
		if err1 != nil || err2 != nil || err3 != nil || pid <= 0 || seconds < 0 {
			continue
		}
		age := time.Duration(seconds) * time.Second
		p.ages[pid] = age
		p.all = p.all || pid == 1
		// The youngest process is ps itself: its start is the host's time of day.
		if youngest < 0 || age < youngest {
			youngest, p.clock = age, began.Add(age)
		}
	}
	if len(p.ages) == 0 {
		return Pids{}, fmt.Errorf("the list of the host's processes could not be parsed")
	}
	return p, nil
}

// Prove adds to an observation what the host's list of processes shows: whether the pid runs,
// when the process began, and how old the supervisor's check is.
func (p Pids) Prove(o *Observation) {
	if seen, ok := collectedAt(o.Collected); ok && !p.clock.IsZero() {
		o.Age, o.AgeKnown = max(0, p.clock.Sub(seen)), true
	}
	if o.PID == 0 {
		return
	}
	age, there := p.ages[o.PID]
	least, dated := AtLeast(o.Uptime)
	switch {
	case !there && !p.all:
		return
	case !there, dated && age+ClockSlack < least:
		o.Alive = AliveGone // a younger process may have the same pid
	default:
		o.Alive, o.Started = AliveProved, p.at.Add(-age)
	}
}

// Runs reports whether the process with this pid, started at this time by the bot's clock, still
// runs. The result is AliveUnknown if the host hides its processes.
func (p Pids) Runs(pid int, started time.Time) Alive {
	age, there := p.ages[pid]
	switch {
	case there && p.at.Add(-age).Sub(started).Abs() <= ClockSlack:
		return AliveProved
	case there || p.all:
		return AliveGone
	default:
		return AliveUnknown
	}
}

// collectedForms are monit's time formats: the first of monit 5.33, the second of monit before
// 5.2.
var collectedForms = []string{"Mon, 02 Jan 2006 15:04:05", "Mon Jan 2 15:04:05 2006"}

// collectedAt parses monit's "data collected", which has no zone.
func collectedAt(s string) (time.Time, bool) {
	for _, form := range collectedForms {
		if t, err := time.Parse(form, strings.Join(strings.Fields(s), " ")); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
