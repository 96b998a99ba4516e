package call

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"dhbot/runbooks"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/incident"
	"dhbot/internal/publish"
	"dhbot/internal/remote"
	"dhbot/internal/status"
	"dhbot/runbooks/planner"
)

func (s *Base) SetCluster(c *Call, cl *fleet.Cluster) error {
	if err := s.Bind(c.Req, cl); err != nil {
		return err
	}
	c.Cluster, c.Catalog = c.Req.Cluster, c.Req.Catalog
	return nil
}

// recentRuns is how many ended runs a list shows.
const recentRuns = 5

func (s *Base) Answer(ctx context.Context, c *Call, out card.Card) error {
	if c.ChannelShared {
		return c.Reply.Ephemeral(ctx, out)
	}
	return c.Reply.Show(ctx, c.Signed(out))
}

// Windows keeps what people announced to work on. Each change is stored
// together with its record and the settlement of the claim, in one
// transaction; any error that wraps engine.ErrStoreDown may have had its
// effect or not.
type Windows interface {
	// Maintenance returns what was announced and not ended, over or not, by
	// cluster and target.
	Maintenance(ctx context.Context) ([]fleet.Maintenance, error)
	// OpenWork returns the same together with every run that has not ended,
	// oldest first, as of one moment.
	OpenWork(ctx context.Context) ([]engine.Stored, []fleet.Maintenance, error)
	// SetMaintenance stores an announcement in place of one for the same
	// cluster, process and host. A window is stored, and ended, only where it is
	// as it was at its Rev: engine.ErrConflict.
	SetMaintenance(ctx context.Context, m fleet.Maintenance, r audit.Record, claim string) error
	// EndMaintenance removes the announcement for this cluster, process and
	// host; one that is not there is no error.
	EndMaintenance(ctx context.Context, m fleet.Maintenance, r audit.Record, claim string) error
}

// ReasonRunes is how much of a reason is kept.
const ReasonRunes = 500

// Directory says who an account is right now.
type Directory interface {
	// Lookup asks the platform. maxAge allows an answer that old; 0 wants a
	// fresh one. An error means that the account could not be confirmed, which
	// is a refusal.
	Lookup(ctx context.Context, a auth.Account, maxAge time.Duration) (auth.Profile, error)
}

// Engine is the part of the engine that messages reach.
type Engine interface {
	// Submit stores a new run with its first record and settles the claim.
	Submit(ctx context.Context, r engine.Run, claim string) (engine.Stored, error)
	// Apply makes one event happen to a run and settles the claim.
	Apply(ctx context.Context, id string, e engine.Event, claim string) (engine.Stored, error)
}

// Posts says where the messages of a run stand.
type Posts interface {
	// Post returns a run's message; ok is false where there is none yet.
	Post(ctx context.Context, run string) (p publish.Post, ok bool, err error)
	// Thread returns where a run's trail stands; ok is false where there is none
	// yet.
	Thread(ctx context.Context, run string) (t publish.Thread, ok bool, err error)
}

// Settings are what a Service needs of the config and the rest of the house.
// Every field must be set.
type Settings struct {
	command.Grammar
	Rules *auth.Rules
	// StaleAfter is how old a delivery may be that changes something.
	StaleAfter time.Duration
	// OpenChannel is where runs are shown whose requests were made where no one
	// else looks: at a terminal, in a direct message, on the bot's own page.
	OpenChannel string

	Directory Directory
	Engine    Engine
	Runs      engine.Runs
	Windows   Windows
	Keeper    incident.Keeper
	Log       audit.Log
	Posts     Posts
	Remote    remote.Runner
	Status    *status.Assessor
	NewID     func(ctx context.Context) (string, error)
	// Health says whether the bot is well, and in lines how its parts are. Nil
	// where there is only this part of it.
	Health func(ctx context.Context) (well bool, lines []string)
	// CardLink is the address of the message that shows a run, "" while there is
	// none. Nil where messages have no addresses.
	CardLink func(ctx context.Context, run string) (string, error)
	// Agrees says why this replica must not take anything that changes
	// something, "" where nothing speaks against it. Nil is for a bot that has
	// no other replicas.
	Agrees func(ctx context.Context) (why string, err error)
	// Watching is called when what is to be watched has changed. Nil where the
	// leader finds out by itself.
	Watching func()
	Now      func() time.Time
	Logger   *slog.Logger
}

// Append stores the record of a message that changed nothing, and with it
// settles the claim, if there is one.
func (s *Base) Append(ctx context.Context, m Message, r audit.Record) error {
	claim := m.Key
	if m.Unclaimed {
		claim = ""
	}
	return s.Log.Append(ctx, r, claim)
}

// Base is what every handler works with.
type Base struct {
	Settings
	Planner *planner.Planner

	views sync.Map // names of clusters → *Grammar of who may read these only
}

// NewBase checks that nothing is missing: a missing dependency must not turn into
// a check that is skipped.
func NewBase(s Settings) (*Base, error) {
	missing := map[string]bool{
		"Catalogs": s.Catalogs == nil, "Fleet": s.Fleet == nil || len(s.Fleet.Clusters) == 0, "Rules": s.Rules == nil,
		"Directory":   s.Directory == nil,
		"Engine":      s.Engine == nil,
		"Runs":        s.Runs == nil,
		"Windows":     s.Windows == nil,
		"Keeper":      s.Keeper == nil,
		"Log":         s.Log == nil,
		"Posts":       s.Posts == nil,
		"Remote":      s.Remote == nil,
		"Status":      s.Status == nil,
		"NewID":       s.NewID == nil,
		"OpenChannel": s.OpenChannel == "",
		"Now":         s.Now == nil,
		"Logger":      s.Logger == nil,
	}
	for name, gone := range missing {
		if gone {
			return nil, fmt.Errorf("handlers: %s is not set", name)
		}
	}
	if s.StaleAfter == 0 {
		s.StaleAfter = 60 * time.Second
	}
	s.People = map[string]string{}
	for _, p := range s.Rules.People {
		for _, a := range p.Accounts {
			s.People[a.User] = p.Name
		}
	}
	s.Keep()
	planner := &planner.Planner{Catalogs: s.Catalogs, Fleet: s.Fleet, Now: s.Now}
	return &Base{Settings: s, Planner: planner}, nil
}

// Watchable says why a scope cannot be watched by this config, nil where it
// can.
func (s *Base) Watchable(sc incident.Scope) error { return s.Status.Watchable(sc) }

// NeededBy are what a process needs, in the order in which it starts, and the
// process itself; absent is what no host of the config runs.
func NeededBy(c *Call) (targets []runbooks.Target, absent []string) {
	for _, id := range append(c.Catalog.Needed(c.Process.ID, c.Cluster.ACLs), c.Process.ID) {
		hosts := c.Cluster.HostsOf(id)
		if len(hosts) == 0 {
			absent = append(absent, id)
		}
		for _, h := range hosts {
			if id != c.Process.ID || c.Host == nil || c.Host.Name == h.Name {
				targets = append(targets, runbooks.Target{Process: id, Host: h.Name})
			}
		}
	}
	return targets, absent
}
