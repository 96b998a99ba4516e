package incident

import (
	"cmp"
	"slices"
	"time"

	"dhbot/runbooks"
)

// Seen is one target in one check.
type Seen struct {
	// Target is the process on a host, or, without a process, a host that could not be queried.
	Target   runbooks.Target
	Severity runbooks.Severity
	// WorstCase is the worst possible level if Severity is unknown.
	WorstCase runbooks.Severity
	Headline  string
	Text      string
	Command   string // the command that was sent
	// Verb is the command that could repair the target, "" for none.
	Verb string
	At   time.Time
	// Hold is why this check is not used for the target: an open run works on the target, or
	// the target is down because of a dependency. The posted level of the target stays.
	Hold string
	// Behind are the dependencies that are down, if the check is held for that reason.
	Behind []runbooks.Target
	// Recovering means that the target is starting or stopping. This is not posted, but the
	// target does not count as healthy either.
	Recovering bool
	// Changing means that the target is starting or stopping, even if it takes too long.
	Changing bool
	// Proved means that the finding already uses several checks (a crash loop does), so no
	// second check is needed.
	Proved bool
	// Outage means that the process was observed not to serve at all.
	Outage bool
}

// ManyHosts is the target of the problem that most hosts of a cluster cannot be reached at the
// same time.
var ManyHosts = runbooks.Target{Host: "several hosts"}

// Rules decide when a change is posted.
type Rules struct {
	// Confirm is the number of consecutive checks that must agree.
	Confirm int
	// Quiet is how long a target must have been healthy before its problem is over.
	Quiet time.Duration
	// Flaps is the number of changes within Window that count as flapping, and Calm how
	// long the state must be stable before the flapping is over.
	Flaps        int
	Window, Calm time.Duration
}

// DefaultRules post a change that a second check confirms. The third outage within the window
// counts as flapping: five changes (down, up, down, up, down). The argument quiet is Rules.Quiet,
// which the config sets for incidents.
func DefaultRules(quiet time.Duration) Rules {
	return Rules{Confirm: 2, Quiet: quiet, Flaps: 5, Window: 10 * time.Minute, Calm: 5 * time.Minute}
}

// Change is a change to post.
type Change struct {
	At     time.Time       `json:"at"` // time of the decision
	Target runbooks.Target `json:"target"`
	// From is the last posted level, first observed at Was. To is the new level, first
	// observed at Since.
	From  runbooks.Severity `json:"from"`
	Was   time.Time         `json:"was,omitzero"`
	To    runbooks.Severity `json:"to"`
	Since time.Time         `json:"since"`
	// WorstCase is the worst possible level if To is unknown.
	WorstCase runbooks.Severity `json:"worst_case,omitzero"`
	// Outage means that the process was observed not to serve at all.
	Outage   bool   `json:"outage,omitempty"`
	Headline string `json:"headline"`
	Text     string `json:"text,omitempty"`
	Command  string `json:"command,omitempty"`
	Verb     string `json:"verb,omitempty"`
	// Flaps is the number of recent changes, if the message is about flapping.
	Flaps int `json:"flaps,omitempty"`
}

// Over reports whether the target is healthy again.
func (c Change) Over() bool { return c.To == runbooks.None }

// Track is the state of one target.
type Track struct {
	Target runbooks.Target `json:"target"`
	// Told is the last posted level, and Since is when that level was first observed.
	Told  runbooks.Severity `json:"told"`
	Since time.Time         `json:"since,omitzero"`
	// Looks is the number of consecutive checks, up to the last check, that differed from Told.
	// NextSince is the time of the first such check, and Next the level of the last. Next is
	// unused if Looks is 0.
	Next      runbooks.Severity `json:"next"`
	NextSince time.Time         `json:"next_since,omitzero"`
	Looks     int               `json:"looks,omitempty"`
	// Raw is the level of the last check. Flips are the times of recent changes of Raw, and Peak
	// is the worst recent level.
	Raw      runbooks.Severity `json:"raw"`
	Flips    []time.Time       `json:"flips,omitempty"`
	Peak     runbooks.Severity `json:"peak"`
	Flapping bool              `json:"flapping,omitempty"`
	// NotUp is when a check first found the target starting or stopping; zero if the target is
	// doing neither now.
	NotUp time.Time `json:"not_up,omitzero"`
}

func newTrack(t runbooks.Target) *Track {
	return &Track{Target: t, Told: runbooks.None, Next: runbooks.None, Raw: runbooks.None, Peak: runbooks.None}
}

// see records one check, and returns the change to post, if any.
func (t *Track) see(s Seen, r Rules) (Change, bool) {
	if s.Hold != "" {
		t.Looks, t.NotUp = 0, time.Time{}
		return Change{}, false
	}
	t.flip(s, r)
	switch {
	case t.Flapping:
		return t.flapping(s, r)
	case len(t.Flips) >= r.Flaps:
		t.Flapping = true
		return t.setPosted(s, max1(t.Told, t.Peak), t.Flips[0], len(t.Flips)), true
	case s.Recovering:
		t.Looks = 0
		return Change{}, false
	}
	t.count(s)
	switch {
	case t.Looks < r.Confirm && !(s.Proved && t.Looks > 0):
		return Change{}, false
	case t.Next == runbooks.None && s.At.Sub(t.NextSince) < r.Quiet:
		return Change{}, false
	default:
		return t.setPosted(s, t.Next, t.NextSince, 0), true
	}
}

// flip records whether the check differs from the previous check. A target that is down and
// restarts repeatedly without success stays down, and does not flap.
func (t *Track) flip(s Seen, r Rules) {
	if trying := s.Recovering && t.Raw != runbooks.None; !trying {
		if s.Severity != t.Raw {
			t.Flips = append(t.Flips, s.At)
		}
		t.Raw = s.Severity
	}
	t.Flips = slices.DeleteFunc(t.Flips, func(at time.Time) bool { return s.At.Sub(at) > r.Window })
	if len(t.Flips) == 0 && !t.Flapping {
		t.Peak = runbooks.None
	}
	level := s.Severity
	if s.Recovering {
		level = s.WorstCase
	}
	t.Peak = max1(t.Peak, level)
	switch {
	case !s.Recovering && !s.Changing:
		t.NotUp = time.Time{}
	case t.NotUp.IsZero():
		t.NotUp = s.At
	}
}

// count counts the checks that differ from the posted level. For a target that was healthy, any
// bad level confirms any other bad level.
func (t *Track) count(s Seen) {
	bothBad := t.Told == runbooks.None && t.Next != runbooks.None && s.Severity != runbooks.None
	switch {
	case s.Severity == t.Told:
		t.Looks = 0
	case t.Looks > 0 && (s.Severity == t.Next || bothBad):
		t.Looks++
		t.Next = s.Severity
	default:
		t.Next = s.Severity
		t.NextSince = s.At
		t.Looks = 1
	}
}

// flapping returns the change to post about a flapping target, if any: the target is worse, or it
// is stable again. No other change of a flapping target is posted.
func (t *Track) flapping(s Seen, r Rules) (Change, bool) {
	calm := len(t.Flips) == 0 || s.At.Sub(t.Flips[len(t.Flips)-1]) >= r.Calm
	switch {
	case calm && !s.Recovering:
		since := s.At
		if n := len(t.Flips); n > 0 {
			since = t.Flips[n-1]
		}
		t.Flapping = false
		t.Flips = nil
		t.Peak = s.Severity
		return t.setPosted(s, s.Severity, since, 0), true
	case s.Severity != runbooks.None && !s.Recovering && s.Severity.Worse(t.Told):
		return t.setPosted(s, s.Severity, s.At, len(t.Flips)), true
	default:
		return Change{}, false
	}
}

// setPosted makes a level the posted level.
func (t *Track) setPosted(s Seen, level runbooks.Severity, since time.Time, flaps int) Change {
	c := Change{
		At: s.At, Target: t.Target, From: t.Told, Was: t.Since, To: level, Since: since,
		WorstCase: s.WorstCase, Outage: s.Outage, Headline: s.Headline, Text: s.Text, Command: s.Command, Verb: s.Verb, Flaps: flaps,
	}
	t.Told = level
	t.Since = since
	t.Looks = 0
	return c
}

// settle treats the first check of a watch as posted.
func (t *Track) settle(s Seen) {
	t.Told = s.Severity
	t.Since = s.At
	t.Raw = s.Severity
	t.Peak = s.Severity
	if s.Recovering {
		t.NotUp = s.At
	}
}

// rests reports whether there is nothing to remember.
func (t *Track) rests() bool {
	return t.Told == runbooks.None && t.Looks == 0 && len(t.Flips) == 0 && !t.Flapping && t.NotUp.IsZero()
}

// max1 is the worse of two levels.
func max1(a, b runbooks.Severity) runbooks.Severity {
	if a.Worse(b) {
		return a
	}
	return b
}

// Memory has the tracks of many targets.
type Memory []*Track

// NotUp is when a check first found a target starting or stopping; zero if the target is doing
// neither now.
func (m Memory) NotUp(t runbooks.Target) time.Time {
	if i, ok := m.find(t); ok {
		return m[i].NotUp
	}
	return time.Time{}
}

// Unknown reports whether a check found something that is not yet posted, so another check
// should follow soon.
func (m Memory) Unknown() bool {
	return slices.ContainsFunc(m, func(t *Track) bool { return t.Looks > 0 && t.Next != runbooks.None && !t.Flapping })
}

// See records a check of all targets and returns the changes to post. First come the changes of
// the targets in list, in the order of list, then the changes of targets that are no longer in
// list. Such a target counts as healthy.
func (m *Memory) See(list []Seen, at time.Time, r Rules) []Change {
	var out []Change
	seen := map[runbooks.Target]bool{}
	for _, s := range list {
		seen[s.Target] = true
		if c, told := m.track(s.Target).see(s, r); told {
			out = append(out, c)
		}
	}
	for _, t := range *m {
		if !seen[t.Target] {
			gone := Seen{Target: t.Target, Severity: runbooks.None, Headline: "No longer a problem", At: at}
			if t.Target.Process == "" {
				gone.Headline = "Answers again"
			}
			if c, told := t.see(gone, r); told {
				out = append(out, c)
			}
		}
	}
	*m = slices.DeleteFunc(*m, (*Track).rests)
	return out
}

// Settle records a first check: its result is the current state.
func (m *Memory) Settle(list []Seen) {
	for _, s := range list {
		if s.Hold == "" {
			m.track(s.Target).settle(s)
		}
	}
	*m = slices.DeleteFunc(*m, (*Track).rests)
}

func (m Memory) find(t runbooks.Target) (int, bool) {
	return slices.BinarySearchFunc(m, t, func(a *Track, b runbooks.Target) int { return compare(a.Target, b) })
}

// track is the track of a target, created if needed.
func (m *Memory) track(t runbooks.Target) *Track {
	i, ok := m.find(t)
	if !ok {
		*m = slices.Insert(*m, i, newTrack(t))
	}
	return (*m)[i]
}

func compare(a, b runbooks.Target) int {
	return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Process, b.Process))
}
