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

// recentRuns is the number of ended runs in a list.
const recentRuns = 5

func (s *Base) Answer(ctx context.Context, c *Call, out card.Card) error {
	if c.ChannelShared {
		return c.Reply.Ephemeral(ctx, out)
	}
	return c.Reply.Show(ctx, c.Signed(out))
}

// Windows stores announced maintenance. A change, its record and the settlement of the claim
// are stored in one transaction. After an error that wraps engine.ErrStoreDown the change may
// or may not be stored.
type Windows interface {
	// Maintenance returns the stored announcements, including expired ones, sorted by
	// cluster and target.
	Maintenance(ctx context.Context) ([]fleet.Maintenance, error)
	// OpenWork returns every run that has not ended, oldest first, and the announcements. Both
	// are read at the same revision of the store.
	OpenWork(ctx context.Context) ([]engine.Stored, []fleet.Maintenance, error)
	// SetMaintenance replaces the announcement for the same cluster, process and host. It
	// returns engine.ErrConflict if a stored window has changed since m.Rev.
	SetMaintenance(ctx context.Context, m fleet.Maintenance, r audit.Record, claim string) error
	// EndMaintenance removes the announcement for this cluster, process and host, if any.
	EndMaintenance(ctx context.Context, m fleet.Maintenance, r audit.Record, claim string) error
}

// ReasonRunes is the maximum length of a reason, in runes.
const ReasonRunes = 500

// Directory looks up accounts on the chat platform.
type Directory interface {
	// Lookup queries the platform. The argument maxAge is the maximum age of an earlier
	// answer that is still used; 0 requires a new answer. An error means that the account is
	// not confirmed and must be refused.
	Lookup(ctx context.Context, a auth.Account, maxAge time.Duration) (auth.Profile, error)
}

// Engine is the part of the engine that handlers use.
type Engine interface {
	// Submit stores a new run with its first record and settles the claim.
	Submit(ctx context.Context, r engine.Run, claim string) (engine.Stored, error)
	// Apply applies one event to a run and settles the claim.
	Apply(ctx context.Context, id string, e engine.Event, claim string) (engine.Stored, error)
}

// Posts returns the messages of runs.
type Posts interface {
	// Post returns a run's message; ok is false if there is none yet.
	Post(ctx context.Context, run string) (p publish.Post, ok bool, err error)
	// Thread returns the thread of a run's records; ok is false if there is none yet.
	Thread(ctx context.Context, run string) (t publish.Thread, ok bool, err error)
}

// Settings are the dependencies of a Service. Every field must be set, except the functions
// whose comments allow nil.
type Settings struct {
	command.Grammar
	Rules *auth.Rules
	// StaleAfter is the age after which a delivery may no longer change anything.
	StaleAfter time.Duration
	// OpenChannel is the channel for runs requested in private: at a terminal, in a direct
	// message, on the Home tab.
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
	// Health reports whether the bot is healthy, with a line about each of its parts. The
	// field may be nil.
	Health func(ctx context.Context) (well bool, lines []string)
	// CardLink returns the URL of a run's message, or "" if it has none. The field is nil if
	// messages have no URLs.
	CardLink func(ctx context.Context, run string) (string, error)
	// Agrees returns why this replica must not accept changes, or "" if it may accept them.
	// The field is nil for a bot without other replicas.
	Agrees func(ctx context.Context) (why string, err error)
	// Watching is called when watches have changed. The field is nil if the leader detects
	// the changes itself.
	Watching func()
	Now      func() time.Time
	Logger   *slog.Logger
}

// Append stores the record of a message that changed nothing, and settles the message's
// claim, if it has one.
func (s *Base) Append(ctx context.Context, m Message, r audit.Record) error {
	claim := m.Key
	if m.Unclaimed {
		claim = ""
	}
	return s.Log.Append(ctx, r, claim)
}

// Base has the dependencies of every handler.
type Base struct {
	Settings
	Planner *planner.Planner

	views sync.Map // names of clusters → *Grammar with only the names in these clusters
}

// NewBase returns an error if a dependency is missing, so no check can be skipped.
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

// Watchable returns an error with the reason if this config does not allow a watch of the scope.
func (s *Base) Watchable(sc incident.Scope) error { return s.Status.Watchable(sc) }

// NeededBy returns the dependencies of a process, in start order, and the process itself. The
// result absent lists the dependencies that no host runs.
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
