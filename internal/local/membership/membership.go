// Package membership says whether a person at the terminal is still a member of
// the organisation. A key proves who they are; that they still belong there is
// Slack's to say, and Slack is asked whenever it answers. Only while it is silent
// does what it said last stand in, and for a day at most.
package membership

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"dhbot/auth"
)

const (
	// silence is how long Slack must have said nothing at all to count as
	// silent: a rate limit, an error or a slow answer is none.
	silence = 5 * time.Minute
	// memory is how long what Slack said last of a person stands in.
	memory = 24 * time.Hour
	// refreshEvery is how often people with keys are asked about, so that there
	// is something to remember when Slack falls silent.
	refreshEvery = time.Hour
	// askTime bounds a question to a Slack that is silent.
	askTime = 5 * time.Second
)

// Slack asks Slack about an account.
type Slack interface {
	Lookup(ctx context.Context, a auth.Account, maxAge time.Duration) (auth.Profile, error)
}

// Config is what a Directory needs; File alone may be empty.
type Config struct {
	Slack Slack
	// Answered is when Slack last said anything: an answer of any kind, or a
	// sign of life on a connection.
	Answered func() time.Time
	Rules    *auth.Rules
	// HasKey says that a person has a key in the config.
	HasKey func(person string) bool
	// File keeps what Slack said of people over a restart; "" keeps it in
	// memory alone.
	File string
	Now  func() time.Time
	Log  *slog.Logger
}

// Directory answers for people at the terminal and hands every other account
// on to Slack.
type Directory struct {
	Config
	started time.Time

	mu   sync.Mutex
	seen map[string]Seen
}

// Seen is what Slack said last of a person.
type Seen struct {
	Active time.Time `json:"active"`         // when they were a full member
	Gone   time.Time `json:"gone,omitempty"` // when they no longer were; zero since then if they are again
}

// New reads what was remembered.
func New(c Config) (*Directory, error) {
	if c.Slack == nil || c.Answered == nil || c.Rules == nil || c.HasKey == nil || c.Now == nil || c.Log == nil {
		return nil, errors.New("membership: every field of Config but File must be set")
	}
	d := &Directory{Config: c, started: c.Now(), seen: map[string]Seen{}}
	if c.File == "" {
		return d, nil
	}
	text, err := os.ReadFile(c.File)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &d.seen)
	}
	if err != nil { // no one is then remembered, which lets no one in
		c.Log.Warn("what Slack said of people is not remembered", "file", c.File, "err", err)
		d.seen = map[string]Seen{}
	}
	return d, nil
}

// Lookup says who an account is. An error is a refusal.
func (d *Directory) Lookup(ctx context.Context, a auth.Account, maxAge time.Duration) (auth.Profile, error) {
	if a.Team != auth.LocalTeam {
		return d.Slack.Lookup(ctx, a, maxAge)
	}
	if !d.HasKey(a.User) {
		return auth.Profile{}, fmt.Errorf("%s has no key in the config any more", a.User)
	}
	p := auth.Profile{Account: a, ID: a.User, Organisation: auth.LocalTeam, Checked: d.Now()}
	silent := d.silentSince()
	asked := ctx
	if !silent.IsZero() {
		var cancel context.CancelFunc
		asked, cancel = context.WithTimeout(ctx, askTime)
		defer cancel()
	}
	active, err := d.ask(asked, a.User, maxAge)
	switch {
	case err == nil:
		p.Deleted = !active
		return p, nil
	case silent.IsZero():
		return auth.Profile{}, fmt.Errorf("asking Slack whether %s is still a member: %w", a.User, err)
	}
	return d.remembered(p, silent, maxAge)
}

// silentSince is since when Slack has been silent, or zero where it is not.
func (d *Directory) silentSince() time.Time {
	last := d.Answered()
	if last.Before(d.started) {
		last = d.started
	}
	if d.Now().Sub(last) < silence {
		return time.Time{}
	}
	return last
}

// ask asks about a person's accounts; one that is a full member will do.
func (d *Directory) ask(ctx context.Context, person string, maxAge time.Duration) (active bool, err error) {
	accounts := d.accounts(person)
	if len(accounts) == 0 {
		return true, nil // the config knows them by their keys alone
	}
	var refusal *auth.Refusal
	for _, a := range accounts {
		p, err := d.Slack.Lookup(ctx, a, maxAge)
		if err != nil {
			return false, err
		}
		p.Account = a
		who, err := d.Rules.Identify(p)
		switch {
		case err == nil && who.Name == person:
			d.note(person, true)
			return true, nil
		case err != nil && !errors.As(err, &refusal):
			return false, err
		}
	}
	d.note(person, false)
	return false, nil
}

func (d *Directory) accounts(person string) []auth.Account {
	for _, p := range d.Rules.People {
		if p.Name == person {
			return p.Accounts
		}
	}
	return nil
}

// remembered is the answer while Slack is silent. Who asks for a read is let in
// unless Slack said that they had gone; whatever changes something takes that
// it vouched for them within a day.
func (d *Directory) remembered(p auth.Profile, since time.Time, maxAge time.Duration) (auth.Profile, error) {
	d.mu.Lock()
	seen := d.seen[p.User]
	d.mu.Unlock()
	p.SilentSince = since
	switch {
	case !seen.Gone.IsZero():
		p.Deleted = true
	case maxAge == 0 && (seen.Active.IsZero() || d.Now().Sub(seen.Active) > memory):
		return auth.Profile{}, fmt.Errorf("Slack has been silent since %s, and %s was not seen there within %s", since.UTC().Format("15:04 MST"), p.User, memory)
	}
	return p, nil
}

// note remembers what Slack said.
func (d *Directory) note(person string, active bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, before := d.Now(), d.seen[person]
	after := Seen{Active: now}
	if !active {
		after = Seen{Active: before.Active, Gone: now}
	}
	d.seen[person] = after
	if d.File != "" && (now.Sub(before.Active) > time.Minute || before.Gone.IsZero() != after.Gone.IsZero()) {
		if err := d.save(); err != nil {
			d.Log.Warn("what Slack said of people is not kept", "err", err)
		}
	}
}

// save writes the file anew, whole or not at all.
func (d *Directory) save() error {
	text, err := json.Marshal(d.seen)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(d.File), ".people-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), d.File)
}

// Run asks about everybody with a key from time to time, until ctx ends.
func (d *Directory) Run(ctx context.Context) error {
	every := time.NewTicker(refreshEvery)
	defer every.Stop()
	for {
		d.refresh(ctx)
		select {
		case <-every.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *Directory) refresh(ctx context.Context) {
	for _, p := range d.Rules.People {
		if !d.HasKey(p.Name) || len(p.Accounts) == 0 {
			continue
		}
		if _, err := d.ask(ctx, p.Name, refreshEvery); err != nil {
			d.Log.DebugContext(ctx, "not asked about somebody with a key", "person", p.Name, "err", err)
		}
	}
}
