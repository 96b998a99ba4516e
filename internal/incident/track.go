// Package incident is what the bot makes of many looks at the same things: when a
// change has been seen often enough to be posted, when something is flapping,
// when it is over, and which changes are one incident. It is pure, but for the
// port that says where what it remembers is kept: it is handed looks and times,
// and makes no calls.
package incident

import (
	"cmp"
	"slices"
	"time"

	"dhbot/runbooks"
)

// Seen is one thing as one look found it.
type Seen struct {
	// Target is the process on a host, or a host as a whole, without a process,
	// that could not be asked.
	Target   runbooks.Target
	Severity runbooks.Severity
	// WorstCase is, where Severity is unknown, the level that it might be.
	WorstCase runbooks.Severity
	Headline  string
	Text      string
	Command   string // what was asked
	// Verb is what could bring it back, "" for nothing that can be asked for.
	Verb string
	At   time.Time
	// Hold says why this look says nothing of the target: an open run has it in
	// hand, or it is out because of something else. What was posted about it stands.
	Hold string
	// Behind are what it is out because of, where it is held for that.
	Behind []runbooks.Target
	// Recovering says that it is starting or stopping: not worth posting by
	// itself, but no sign of being well either.
	Recovering bool
	// Changing says that it is on its way up or down, for however long.
	Changing bool
	// Proved says that the finding rests on several looks already, as a crash
	// loop does: it needs no second one.
	Proved bool
	// Outage says that the process was seen not to serve at all.
	Outage bool
}

// ManyHosts stands for most hosts of a cluster, where they cannot be seen all
// at once.
var ManyHosts = runbooks.Target{Host: "several hosts"}

// Rules say when a change is posted.
type Rules struct {
	// Confirm is how many looks in a row must have seen it.
	Confirm int
	// Quiet is how long something must have been well to be over.
	Quiet time.Duration
	// Flaps is how many changes within Window make something flap, and Calm how
	// long it must stay as it is to flap no more.
	Flaps        int
	Window, Calm time.Duration
}

// DefaultRules tell what a second look has confirmed. Five changes are the
// third outage within the window.
func DefaultRules() Rules {
	return Rules{Confirm: 2, Quiet: 2 * time.Minute, Flaps: 5, Window: 10 * time.Minute, Calm: 5 * time.Minute}
}

// Change is something that is posted.
type Change struct {
	At     time.Time       `json:"at"` // when it was decided
	Target runbooks.Target `json:"target"`
	// From was posted about the target before, since Was; To is what it is since
	// Since, when it was first seen so.
	From  runbooks.Severity `json:"from"`
	Was   time.Time         `json:"was,omitzero"`
	To    runbooks.Severity `json:"to"`
	Since time.Time         `json:"since"`
	// WorstCase is the level that it might be, where To is unknown.
	WorstCase runbooks.Severity `json:"worst_case,omitzero"`
	// Outage says that the process was seen not to serve at all.
	Outage   bool   `json:"outage,omitempty"`
	Headline string `json:"headline"`
	Text     string `json:"text,omitempty"`
	Command  string `json:"command,omitempty"`
	Verb     string `json:"verb,omitempty"`
	// Flaps is how often it changed lately, where that is what is posted.
	Flaps int `json:"flaps,omitempty"`
}

// Over says that the target is well again.
func (c Change) Over() bool { return c.To == runbooks.None }

// Track is what is remembered of one target.
type Track struct {
	Target runbooks.Target `json:"target"`
	// Told is the level that people know of, and Since when it was first seen.
	Told  runbooks.Severity `json:"told"`
	Since time.Time         `json:"since,omitzero"`
	// Next is the level that the last looks have seen and that is not told yet,
	// where Looks is not 0.
	Next      runbooks.Severity `json:"next"`
	NextSince time.Time         `json:"next_since,omitzero"`
	Looks     int               `json:"looks,omitempty"`
	// Raw is the level of the last look, Flips the times when that changed
	// lately, and Peak the worst of them.
	Raw      runbooks.Severity `json:"raw"`
	Flips    []time.Time       `json:"flips,omitempty"`
	Peak     runbooks.Severity `json:"peak"`
	Flapping bool              `json:"flapping,omitempty"`
	// NotUp is since when it has been starting.
	NotUp time.Time `json:"not_up,omitzero"`
}

func newTrack(t runbooks.Target) *Track {
	return &Track{Target: t, Told: runbooks.None, Next: runbooks.None, Raw: runbooks.None, Peak: runbooks.None}
}

// see takes one look in, and returns what is to be posted about it, if anything.
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
		return t.tell(s, max1(t.Told, t.Peak), t.Flips[0], len(t.Flips)), true
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
		return t.tell(s, t.Next, t.NextSince, 0), true
	}
}

// flip notes whether the look differs from the one before. What is down, and is
// being started in vain time and again, stays down and does not flap.
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

// count counts the looks that have seen something else than was posted. From
// well to bad any bad level confirms any other.
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

// flapping says no more than that it has become worse, or that it stays as it
// is.
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
		return t.tell(s, s.Severity, since, 0), true
	case s.Severity != runbooks.None && !s.Recovering && s.Severity.Worse(t.Told):
		return t.tell(s, s.Severity, s.At, len(t.Flips)), true
	default:
		return Change{}, false
	}
}

// tell makes a level the one that people know of.
func (t *Track) tell(s Seen, level runbooks.Severity, since time.Time, flaps int) Change {
	c := Change{
		At: s.At, Target: t.Target, From: t.Told, Was: t.Since, To: level, Since: since,
		WorstCase: s.WorstCase, Outage: s.Outage, Headline: s.Headline, Text: s.Text, Command: s.Command, Verb: s.Verb, Flaps: flaps,
	}
	t.Told = level
	t.Since = since
	t.Looks = 0
	return c
}

// settle takes the first look of a follower as posted.
func (t *Track) settle(s Seen) {
	t.Told = s.Severity
	t.Since = s.At
	t.Raw = s.Severity
	t.Peak = s.Severity
	if s.Recovering {
		t.NotUp = s.At
	}
}

// rests says that there is nothing to remember.
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

// Memory is what is remembered of many targets, by target.
type Memory []*Track

// NotUp is since when a target has been starting, zero where it is not.
func (m Memory) NotUp(t runbooks.Target) time.Time {
	if i, ok := m.find(t); ok {
		return m[i].NotUp
	}
	return time.Time{}
}

// Unknown says that a look has seen what is not told yet: looking again soon is
// worth it.
func (m Memory) Unknown() bool {
	return slices.ContainsFunc(m, func(t *Track) bool { return t.Looks > 0 && t.Next != runbooks.None && !t.Flapping })
}

// See takes a look at everything in and returns what is to be posted, in the
// order of the look, and then what is over because nothing was seen of it any
// more.
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
			gone := Seen{Target: t.Target, Severity: runbooks.None, Headline: "Nothing wrong is seen any more", At: at}
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

// Settle takes a first look in: what it sees is how things are.
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

// track is the track of a target, made where there is none.
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
