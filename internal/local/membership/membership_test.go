package membership

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"dhbot/auth"
	"dhbot/runbooks"
)

// world is a clock and a fake Slack, whose answers a test sets.
type world struct {
	now      time.Time
	answered time.Time
	err      error
	deleted  bool
	asked    int
}

func (w *world) Lookup(_ context.Context, a auth.Account, _ time.Duration) (auth.Profile, error) {
	w.asked++
	if w.err != nil {
		return auth.Profile{}, w.err
	}
	w.answered = w.now
	return auth.Profile{Account: a, ID: a.User, Organisation: "T0HOME", Deleted: w.deleted}, nil
}

func (w *world) directory(t *testing.T, file string) *Directory {
	t.Helper()
	d, err := New(Config{
		Slack: w, Answered: func() time.Time { return w.answered },
		Rules:  &auth.Rules{Home: "T0HOME", People: []auth.Person{{Name: "anna", Accounts: []auth.Account{{User: "U0ANNA"}}}}},
		HasKey: func(person string) bool { return person == "anna" },
		File:   file, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var anna = auth.Account{Team: auth.LocalTeam, User: "anna"}

// TestLookup plays the steps of each row in order, and checks the result of each step.
func TestLookup(t *testing.T) {
	const in, out, refused = "in", "deactivated", "refused"
	type step struct {
		after   time.Duration
		err     error
		deleted bool
		hears   bool // Slack sends data on a socket
		maxAge  time.Duration
		want    string
		silent  bool
	}
	down := errors.New("connection refused")
	for name, steps := range map[string][]step{
		"queried whenever Slack answers":          {{want: in}, {deleted: true, want: out}, {want: in}},
		"4 min of failures are not silence":       {{want: in}, {after: 4 * time.Minute, err: down, want: refused}},
		"a socket with data is not silence":       {{want: in}, {after: 10 * time.Minute, err: down, hears: true, want: refused}},
		"silence, seen within a day":              {{want: in}, {after: 5 * time.Minute, err: down, want: in, silent: true}},
		"silence, seen too long ago":              {{want: in}, {after: 25 * time.Hour, err: down, want: refused}},
		"reads are allowed longer":                {{want: in}, {after: 25 * time.Hour, err: down, maxAge: time.Minute, want: in, silent: true}},
		"silence, had left before":                {{deleted: true, want: out}, {after: 5 * time.Minute, err: down, want: out, silent: true}},
		"a person who has left cannot read":       {{deleted: true, want: out}, {after: 5 * time.Minute, err: down, maxAge: time.Minute, want: out, silent: true}},
		"never seen":                              {{after: 10 * time.Minute, err: down, want: refused}},
		"leaves after Slack is back":              {{want: in}, {after: time.Hour, err: down, want: in, silent: true}, {deleted: true, want: out}},
		"a minute after the start is not silence": {{after: time.Minute, err: down, want: refused}},
		"the next answer ends the silence":        {{want: in}, {after: 6 * time.Minute, err: down, want: in, silent: true}, {want: in}, {after: time.Minute, err: down, want: refused}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
			file := filepath.Join(t.TempDir(), "people.json")
			d := w.directory(t, file)
			for i, s := range steps {
				w.now, w.err, w.deleted = w.now.Add(s.after), s.err, s.deleted
				if s.hears {
					w.answered = w.now
				}
				for _, d := range []*Directory{d, again(t, d, file)} {
					p, err := d.Lookup(t.Context(), anna, s.maxAge)
					got := in
					switch {
					case err != nil:
						got = refused
					case p.Deleted:
						got = out
					}
					if got != s.want || err == nil && !p.SilentSince.IsZero() != s.silent {
						t.Errorf("step %d: %s (%v), silent since %v; want %s, %v", i+1, got, err, p.SilentSince, s.want, s.silent)
					}
				}
			}
		})
	}
}

// again returns a Directory that has loaded the stored answers, as in a new process.
func again(t *testing.T, d *Directory, file string) *Directory {
	t.Helper()
	next, err := New(d.Config)
	if err != nil {
		t.Fatal(err)
	}
	next.File, next.started = file, d.started
	return next
}

func TestOtherAccountsAreLookedUpInSlack(t *testing.T) {
	w := &world{now: time.Now()}
	d := w.directory(t, "")
	p, err := d.Lookup(t.Context(), auth.Account{Team: "T0HOME", User: "U0BEN"}, 0)
	if err != nil || p.ID != "U0BEN" || w.asked != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := d.Lookup(t.Context(), auth.Account{Team: auth.LocalTeam, User: "ben"}, 0); err == nil {
		t.Error("a person without a key was allowed")
	}
}

func TestMayInSilence(t *testing.T) {
	since := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		since         time.Time
		class         runbooks.Class
		origin, asked string
		ok            bool
	}{
		{time.Time{}, runbooks.Destructive, "uid 1", "uid 1", true},
		{since, runbooks.Disruptive, "uid 1", "uid 2", true},
		{since, runbooks.Disruptive, "uid 1", "", true},
		{since, runbooks.Disruptive, "uid 1", "uid 1", false},
		{since, runbooks.Destructive, "uid 1", "uid 2", false},
	} {
		err := auth.MayInSilence(c.since, c.class, c.origin, c.asked)
		if (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
