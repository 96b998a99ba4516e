package escalation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/pager"
	"dhbot/internal/pause"
	"dhbot/internal/publish"
	"dhbot/runbooks"
)

// Policy configures the escalation of a cluster.
type Policy struct {
	// After is the time after which people are mentioned about an incident without an owner, or a
	// request without a decision. The pager has its own time, Page.After.
	After time.Duration
	// Callees are the people who are mentioned. Group is a Slack user group that can be mentioned
	// instead.
	Callees []engine.Callee
	Group   string
	// Level is the minimum severity. Less severe incidents are not escalated.
	Level runbooks.Severity
	Page  *Page // nil for no pager
}

// Page configures the alerts to a pager.
type Page struct {
	// After is the time until the alert. It is counted from the request or, for an incident, from
	// the time when the first of its open problems of Policy.Level or worse reached its present
	// level.
	After time.Duration
	Name  string // for people
	Pager Pager
}

// Pager sends alerts to a pager, and resolves them. *pager.Pager implements it.
type Pager interface {
	Trigger(ctx context.Context, a pager.Alert) error
	Resolve(ctx context.Context, a pager.Alert) error
}

// Messenger posts messages.
type Messenger interface {
	Post(ctx context.Context, at engine.Place, c card.Card) (ts string, err error)
	Link(ctx context.Context, channel, ts string) (url string, err error)
}

// Posts finds the Slack message of a run.
type Posts interface {
	Post(ctx context.Context, run string) (p publish.Post, ok bool, err error)
}

// Config has the dependencies of an Escalator. All but Every, Now and Logger are required.
type Config struct {
	Keeper    incident.Keeper
	Runs      engine.Runs
	Posts     Posts
	Messenger Messenger
	// Absent returns the people among called who are away.
	Absent       func(ctx context.Context, called []engine.Callee) []card.Absent
	AuditChannel string // for runs without a message, and if a channel accepts no messages
	Clusters     map[string]Policy
	Replica      string
	Every        time.Duration // interval of checks for due stages, default 5 s
	Now          func() time.Time
	Logger       *slog.Logger
}

// Escalator escalates.
type Escalator struct {
	Config
	work sync.WaitGroup

	mu      sync.Mutex
	sending map[string]bool // stages in progress in this process, by name
}

// defaultEvery is the interval of checks for due stages.
const defaultEvery = 5 * time.Second

// New returns an Escalator, which does nothing until Run is called.
func New(c Config) (*Escalator, error) {
	if c.Keeper == nil || c.Runs == nil || c.Posts == nil || c.Messenger == nil || c.Absent == nil || c.AuditChannel == "" {
		return nil, errors.New("escalation needs a Keeper, Runs, Posts, a Messenger and an audit channel")
	}
	for name, p := range c.Clusters {
		if p.After <= 0 || len(p.Callees) == 0 && p.Group == "" && p.Page == nil || p.Page != nil && p.Page.Pager == nil {
			return nil, fmt.Errorf("the escalation of %s needs people to notify, and a time", name)
		}
	}
	c.Every = cmp.Or(c.Every, defaultEvery)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Escalator{Config: c, sending: map[string]bool{}}, nil
}

// Run escalates until ctx ends, and then returns nil.
func (e *Escalator) Run(ctx context.Context) error {
	said := ""
	for ctx.Err() == nil {
		now := ""
		if err := e.pass(ctx); err != nil {
			now = err.Error()
		}
		if now != said && now != "" && ctx.Err() == nil {
			e.Logger.ErrorContext(ctx, "escalation failed; retrying", "err", now)
		}
		said = now
		pause.For(ctx, e.Every)
	}
	e.work.Wait()
	return nil
}

// pass starts the stages that are due. It also deletes stages whose incident or request is over.
func (e *Escalator) pass(ctx context.Context) error {
	var errs []error
	open, err := e.Runs.Open(ctx)
	if err != nil {
		return err
	}
	for cluster, p := range e.Clusters {
		subjects, err := e.subjects(ctx, cluster, p, open)
		if err == nil {
			err = e.cluster(ctx, cluster, p, subjects)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", cluster, err))
		}
	}
	return errors.Join(errs...)
}

// cluster does the work of pass for one cluster.
func (e *Escalator) cluster(ctx context.Context, cluster string, p Policy, subjects []subject) error {
	begun, err := stages(ctx, e.Keeper, cluster)
	if err != nil {
		return err
	}
	var errs []error
	live := map[string]bool{}
	for _, s := range subjects {
		live[s.key] = true
		for _, name := range []stage{people, page} {
			key := stageName(cluster, s.key, name)
			last := begun[key]
			if s.due(p, name, e.Now()) && (last.V == 0 || e.repeats(key, last)) {
				errs = append(errs, e.carryOut(ctx, p, s, name, last))
			}
		}
	}
	for name, st := range begun {
		switch {
		case st.V == 0: // not stored by the bot: replaced when the stage is due
		case !live[st.Key]:
			errs = append(errs, e.removeStage(ctx, p, name, st))
		case st.Stage == page && e.isLeft(name, st):
			errs = append(errs, e.reportUnsure(ctx, name, st))
		}
	}
	return errors.Join(errs...)
}
