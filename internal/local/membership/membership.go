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
	"dhbot/internal/refusal"
)

const (
	// silence is how long Slack must not have answered to count as down. A rate limit, an error or
	// a slow answer is also an answer.
	silence = 5 * time.Minute
	// memory is how long Slack's last confirmation of a membership suffices for a change while
	// Slack is down. For a read, there is no limit.
	memory = 24 * time.Hour
	// refreshEvery is how often people with keys are looked up in Slack, so that a recent
	// answer exists when Slack goes down.
	refreshEvery = time.Hour
	// askTime limits a query while Slack is down.
	askTime = 5 * time.Second
)

// Slack looks up an account in Slack.
type Slack interface {
	Lookup(ctx context.Context, a auth.Account, maxAge time.Duration) (auth.Profile, error)
}

// Config has the dependencies of a Directory. Every field except File is required.
type Config struct {
	Slack Slack
	// Answered is the time of Slack's last answer of any kind, or of the last bytes on a
	// connection.
	Answered func() time.Time
	Rules    *auth.Rules
	// HasKey reports whether a person has a key in the config.
	HasKey func(person string) bool
	// File is the path of a file that keeps Slack's answers across a restart. If it is "", they are
	// kept in memory only.
	File string
	Now  func() time.Time
	Log  *slog.Logger
}

// Directory looks up the accounts of people at the terminal. It passes the look-up of every other
// account to Slack.
type Directory struct {
	Config
	started time.Time

	mu   sync.Mutex
	seen map[string]Seen
}

// Seen is Slack's last answer about a person.
type Seen struct {
	Active time.Time `json:"active"`         // when the person was last seen as a full member
	Gone   time.Time `json:"gone,omitempty"` // when the person was first seen as no longer a member; zero if the person is a member again
}

// New reads the stored answers.
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
	if err != nil { // without answers no one is allowed while Slack is down
		c.Log.Warn("Slack's last answers about people could not be loaded; while Slack is down, people at the terminal are refused", "file", c.File, "err", err)
		d.seen = map[string]Seen{}
	}
	return d, nil
}

// Lookup returns the profile of an account. If it returns an error, the person must be refused.
func (d *Directory) Lookup(ctx context.Context, a auth.Account, maxAge time.Duration) (auth.Profile, error) {
	if a.Team != auth.LocalTeam {
		return d.Slack.Lookup(ctx, a, maxAge)
	}
	if !d.HasKey(a.User) {
		return auth.Profile{}, fmt.Errorf("%s no longer has a key in the config", a.User)
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
		return auth.Profile{}, fmt.Errorf("checking in Slack whether %s is still a member: %w", a.User, err)
	}
	return d.remembered(p, silent, maxAge)
}

// silentSince returns the time of Slack's last answer if Slack is down, otherwise zero.
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

// ask looks up a person's accounts in Slack. The result active means that one of these accounts is
// a full member, not a guest, or that the person has no accounts.
func (d *Directory) ask(ctx context.Context, person string, maxAge time.Duration) (active bool, err error) {
	accounts := d.accounts(person)
	if len(accounts) == 0 {
		return true, nil // the config identifies this person only by keys
	}
	var no *refusal.Error
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
		case err != nil && !errors.As(err, &no):
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

// remembered returns the result of a look-up while Slack does not answer. A read is allowed, unless
// Slack's last answer was that the person has left. A change requires that Slack confirmed the
// membership within the last day.
func (d *Directory) remembered(p auth.Profile, since time.Time, maxAge time.Duration) (auth.Profile, error) {
	d.mu.Lock()
	seen := d.seen[p.User]
	d.mu.Unlock()
	p.SilentSince = since
	switch {
	case !seen.Gone.IsZero():
		p.Deleted = true
	case maxAge == 0 && (seen.Active.IsZero() || d.Now().Sub(seen.Active) > memory):
		return auth.Profile{}, fmt.Errorf("Slack has not answered since %s, and %s was not a confirmed member within the last %s", since.UTC().Format("15:04 MST"), p.User, memory)
	}
	return p, nil
}

// note stores an answer of Slack.
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
			d.Log.Warn("Slack's answers about people could not be stored; they are lost at a restart", "err", err)
		}
	}
}

// save replaces the file atomically.
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

// Run regularly looks up everyone who has a key, until ctx ends.
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
			d.Log.DebugContext(ctx, "a person with a key could not be looked up", "person", p.Name, "err", err)
		}
	}
}
