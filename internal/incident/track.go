package incident

import (
	"cmp"
	"slices"
	"time"

	"dhbot/runbooks"
)

// Seen is the result of one check for one target.
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
	// Hold is the reason to ignore this check, or "". For example, an open run works on the target,
	// a run stopped it recently, its host could not be queried, or it is down because of a
	// dependency. The posted level does not change then.
	Hold string
	// Behind are the targets that are the reason in Hold: dependencies that are down, a host that
	// could not be queried, or ManyHosts.
	Behind []runbooks.Target
	// Recovering means that the target is starting or stopping, within the expected time. This is
	// not posted, but the target does not count as healthy.
	Recovering bool
	// Changing means that the target is starting or stopping, even if it takes too long.
	Changing bool
	// Proved means that no second check is needed, because the problem was already observed several
	// times, for example a crash loop.
	Proved bool
	// Outage means that the process was observed not to serve at all.
	Outage bool
}

// ManyHosts is the target of a special problem: most hosts of a cluster cannot be reached.
var ManyHosts = runbooks.Target{Host: "several hosts"}

// Rules are the limits that decide when a change is posted.
type Rules struct {
	// Confirm is the number of consecutive checks that must find a change before it is posted. For
	// a flapping target they need not be consecutive.
	Confirm int
	// Quiet is how long a target must have been healthy before its problem is over.
	Quiet time.Duration
	// A target is flapping after Flaps changes within the time Window. The flapping is over when
	// the target has been stable for the time Calm.
	Flaps        int
	Window, Calm time.Duration
}

// DefaultRules returns rules that post a change after a second check confirms it. A target that
// goes down three times within ten minutes is flapping: this is five changes (down, up, down, up,
// down). The argument quiet is the value of Rules.Quiet, which the config sets for incidents.
func DefaultRules(quiet time.Duration) Rules {
	return Rules{Confirm: 2, Quiet: quiet, Flaps: 5, Window: 10 * time.Minute, Calm: 5 * time.Minute}
}

// Change is a change to post.
type Change struct {
	At     time.Time       `json:"at"` // time of the decision
	Target runbooks.Target `json:"target"`
	// From is the level that was posted last, and Was is the time when it was first observed. To is
	// the new level, which was first observed at Since.
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
	// Flaps is the number of recent changes if the target is flapping, otherwise 0.
	Flaps int `json:"flaps,omitempty"`
}

// Over reports whether the target is healthy again.
func (c Change) Over() bool { return c.To == runbooks.None }

// Track is what a Memory knows about one target.
type Track struct {
	Target runbooks.Target `json:"target"`
	// Told is the level that was posted last, and Since is the time when it was first observed.
	Told  runbooks.Severity `json:"told"`
	Since time.Time         `json:"since,omitzero"`
	// Looks is the number of the latest consecutive checks whose level differs from Told. For a
	// flapping target, it is the number of checks, consecutive or not, whose level is worse than
	// Told. Next is the level in the last of these checks, and NextSince is the time of the first.
	// Both are unused if Looks is 0.
	Next      runbooks.Severity `json:"next"`
	NextSince time.Time         `json:"next_since,omitzero"`
	Looks     int               `json:"looks,omitempty"`
	// Raw is the level in the last check, whether it was posted or not. Flips are the times when
	// Raw changed recently. Peak is the worst recent level.
	Raw      runbooks.Severity `json:"raw"`
	Flips    []time.Time       `json:"flips,omitempty"`
	Peak     runbooks.Severity `json:"peak"`
	Flapping bool              `json:"flapping,omitempty"`
	// NotUp is the time when a check first found the target starting or stopping. It is zero if the
	// target is now doing neither.
	NotUp time.Time `json:"not_up,omitzero"`
}

func newTrack(t runbooks.Target) *Track {
	return &Track{Target: t, Told: runbooks.None, Next: runbooks.None, Raw: runbooks.None, Peak: runbooks.None}
}

// see updates the track with the result of one check. It returns the change to post, if there is
// one.
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

// flip adds the time of the check to Flips if the level differs from the previous check. A target
// that is down and restarts repeatedly without success counts as down, not as flapping.
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

// count updates the number of checks that differ from the posted level. If the posted level is
// healthy, two different bad levels confirm each other.
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

// flapping returns the change to post about a flapping target, if there is one. Only two changes
// are posted: the target became worse, or it is stable again. The checks that confirm a worse level
// need not be consecutive, because the target may be well in every other check.
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
	case s.Severity == runbooks.None || s.Recovering || !s.Severity.Worse(t.Told):
		return Change{}, false
	}
	if t.Looks++; t.Looks == 1 {
		t.NextSince = s.At
	}
	t.Next = s.Severity
	if t.Looks < r.Confirm && !s.Proved {
		return Change{}, false
	}
	return t.setPosted(s, t.Next, t.NextSince, len(t.Flips)), true
}

// setPosted makes level the posted level, and returns the change to post.
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

// settle makes the level in the first check of a watch the posted level, without a change to post.
func (t *Track) settle(s Seen) {
	t.Told = s.Severity
	t.Since = s.At
	t.Raw = s.Severity
	t.Peak = s.Severity
	if s.Recovering {
		t.NotUp = s.At
	}
}

// rests reports whether the track can be dropped, because the target is healthy and has not changed
// recently.
func (t *Track) rests() bool {
	return t.Told == runbooks.None && t.Looks == 0 && len(t.Flips) == 0 && !t.Flapping && t.NotUp.IsZero()
}

// max1 returns the worse of two levels.
func max1(a, b runbooks.Severity) runbooks.Severity {
	if a.Worse(b) {
		return a
	}
	return b
}

// Memory has the tracks of many targets.
type Memory []*Track

// NotUp returns the time when a check first found a target starting or stopping. It returns the
// zero time if the target is now doing neither.
func (m Memory) NotUp(t runbooks.Target) time.Time {
	if i, ok := m.find(t); ok {
		return m[i].NotUp
	}
	return time.Time{}
}

// Unknown reports whether the last check found a problem that is not yet confirmed. Another check
// should then follow soon.
func (m Memory) Unknown() bool {
	return slices.ContainsFunc(m, func(t *Track) bool {
		return t.Looks > 0 && t.Next != runbooks.None && (!t.Flapping || t.Raw == t.Next)
	})
}

// See updates the tracks with the results of a check of all targets, and returns the changes to
// post. The changes have the order of list. Targets that are no longer in list come last, and count
// as healthy.
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

// Settle takes the results of a first check as the current state, without changes to post.
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

// track returns the track of a target. It creates the track if there is none.
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
