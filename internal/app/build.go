package app

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"dhbot/handlers"
	"dhbot/handlers/call"
	"dhbot/internal/card/runcard"
	"dhbot/internal/card/trailcard"
	"dhbot/internal/engine"
	"dhbot/internal/evidence"
	"dhbot/internal/liveness"
	"dhbot/internal/monitor"
	"dhbot/internal/presence"
	"dhbot/internal/publish"
	"dhbot/internal/slackio"
	"dhbot/internal/status"
	"dhbot/runbooks"
)

// build connects the parts of a bot. If two parts need each other, the part made first gets a
// function that calls the part made later.
func build(c Config, edges Edges, loop *liveness.Loop) (*bot, error) {
	edges.Store = observedStore{edges.Store, c.Metrics, c.Now}
	edges.Remote = observedRemote{edges.Remote, c.Metrics, hostsByPlace(c.Grammar.Fleet)}
	b := &bot{Config: c, Edges: edges, loop: loop, started: c.Now(), echoes: roundTrips{heard: make(chan slackio.RoundTrip, 16)}}
	var err error
	handler := func(ctx context.Context, m call.Message, r call.Reply) bool {
		return b.service.Handle(ctx, m, r)
	}
	if b.slack, err = edges.Slack(edges.Store, handler); err != nil {
		return nil, err
	}
	assessor, err := status.New(status.Config{
		Catalogs: c.Grammar.Catalogs,
		Fleet:    c.Grammar.Fleet,
		Remote:   edges.Remote,
		Store:    edges.Store,
		Now:      c.Now,
		Jump:     c.Jump,
		Policy:   c.Assess,
	})
	if err != nil {
		return nil, err
	}
	if b.engine, err = b.newEngine(assessor); err != nil {
		return nil, err
	}
	if b.members, err = b.membership(); err != nil {
		return nil, err
	}
	if b.service, err = b.newService(assessor); err != nil {
		return nil, err
	}
	b.presence = presence.New(b.slack, b.Times.Absences, b.Now, b.Log.With("part", "presence"))
	if b.monitor, err = b.newMonitor(); err != nil {
		return nil, err
	}
	if b.escalator, err = b.newEscalator(); err != nil {
		return nil, err
	}
	b.slack.ClaimUnless(b.service.Receive)
	b.homes = newHomes(b, b.showHome())
	b.slack.OnHome(b.homes.open)
	b.slack.OnRoundTrip(b.echoes.hear)
	if b.publisher, err = b.newPublisher(); err != nil {
		return nil, err
	}
	if c.Terminal.Socket != "" && len(c.Terminal.Keys) > 0 {
		b.shell, err = b.console()
	}
	return b, err
}

// newEngine makes the engine. The engine's gate is the service, which itself needs the engine.
func (b *bot) newEngine(assessor *status.Assessor) (*engine.Engine, error) {
	gate := engine.GateFuncs{
		DeriveFunc: func(r engine.Run) (runbooks.Plan, error) { return b.service.Derive(r) },
		RecheckFunc: func(ctx context.Context, r engine.Run) error {
			if why, err := b.agrees(ctx); err == nil && why != "" {
				return fmt.Errorf("%w: %s", engine.ErrElsewhere, why)
			}
			return b.service.Recheck(ctx, r)
		},
	}
	return engine.New(engine.Config{
		Runs:       b.Store,
		Runner:     b.Remote,
		Assessor:   assessor,
		Evidence:   &evidence.Collector{Catalogs: b.Grammar.Catalogs, Fleet: b.Grammar.Fleet, Remote: b.Remote},
		Gate:       gate,
		Ledger:     b.Store,
		Members:    b.Store,
		Policy:     b.Policy,
		Replica:    b.Replica,
		Now:        b.Now,
		Log:        b.Log.With("part", "engine"),
		Times:      b.Times.Engine,
		Turned:     b.loop.Beat,
		ClockAhead: func() time.Duration { return b.slack.Health().ClockAhead },
	})
}

// newService makes the handlers with the engine and the directory of people.
func (b *bot) newService(assessor *status.Assessor) (*handlers.Service, error) {
	s := b.Settings
	s.Grammar = b.Grammar
	s.OpenChannel = cmp.Or(s.OpenChannel, b.AuditChannel)
	s.Directory = b.members
	s.Engine = b.engine
	s.Runs = b.Store
	s.Windows = b.Store
	s.Log = b.Store
	s.Remote = b.Remote
	s.NewID = b.Store.NewID
	s.Posts = b.Store
	s.Keeper = b.Store
	s.Watching = func() { b.monitor.Wake() }
	s.Status = assessor
	s.Agrees = b.agrees
	s.CardLink = b.cardLink
	s.Health = func(ctx context.Context) (bool, []string) { h := b.health(ctx); return h.OK, h.Lines() }
	s.Now = b.Now
	s.Logger = b.Log.With("part", "handlers")
	return handlers.New(s)
}

func (b *bot) newMonitor() (*monitor.Monitor, error) {
	return monitor.New(monitor.Config{
		Keeper:       b.Store,
		Messenger:    unshared{b.slack},
		Looker:       observedLooker{b.service, b.Metrics, b.Now},
		Clusters:     b.Watches,
		AuditChannel: b.AuditChannel,
		Times:        b.Times.Monitor,
		Now:          b.Now,
		Logger:       b.Log.With("part", "monitor"),
	})
}

func (b *bot) newPublisher() (*publish.Publisher, error) {
	return publish.New(publish.Config{
		Runs:         b.Store,
		Posts:        b.Store,
		Messenger:    b.slack,
		Log:          b.Store,
		AuditChannel: b.AuditChannel,
		Card:         b.runCard,
		First:        b.firstCard,
		Elsewhere:    runcard.ShownElsewhere,
		Unseen:       runcard.Unseen,
		Restored:     runcard.Restored,
		Decided:      runcard.DecidedLine,
		Ended:        runcard.EndLine,
		Withdraw:     b.withdraw,
		Reminders:    b.reminders(),
		TrailCard:    trailcard.Trail,
		TrailReply:   trailcard.TrailOf,
		Now:          b.Now,
		Logger:       b.Log.With("part", "publish"),
	})
}
