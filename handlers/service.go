package handlers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/remote"
	"dhbot/internal/watch"
	"dhbot/runbooks"
)

// Directory says who an account is right now.
type Directory interface {
	// Lookup asks the platform. maxAge allows an answer that old; 0 wants a
	// fresh one. An error means that nobody vouches for the account, which
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

// Settings are what a Service needs of the config and the rest of the house.
// Every field must be set.
type Settings struct {
	Grammar
	Rules *auth.Rules
	// StaleAfter is how old a delivery may be that changes something.
	StaleAfter time.Duration
	// OpenChannel is where runs are shown that were asked for where nobody
	// else looks: at a terminal, in a direct message, on the bot's own page.
	OpenChannel string

	Directory Directory
	Engine    Engine
	Runs      engine.Runs
	Windows   Windows
	Keeper    watch.Keeper
	Log       audit.Log
	Remote    remote.Runner
	NewID     func(ctx context.Context) (string, error)
	// Health says whether the bot is well, and in lines how its parts are. Nil
	// where there is only this part of it.
	Health func(ctx context.Context) (well bool, lines []string)
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

// Service answers messages.
type Service struct {
	Settings
	planner *runbooks.Planner
	asker   asker
	seen    seenLogs

	following chan struct{} // a seat for each log that is followed
}

// New checks that nothing is missing: a missing dependency must not turn into
// a check that is skipped.
func New(s Settings) (*Service, error) {
	missing := map[string]bool{
		"Catalogs": s.Catalogs == nil, "Fleet": s.Fleet == nil || len(s.Fleet.Clusters) == 0, "Rules": s.Rules == nil,
		"Directory": s.Directory == nil, "Engine": s.Engine == nil, "Runs": s.Runs == nil, "Windows": s.Windows == nil, "Keeper": s.Keeper == nil, "Log": s.Log == nil,
		"Remote": s.Remote == nil, "NewID": s.NewID == nil, "OpenChannel": s.OpenChannel == "", "Now": s.Now == nil, "Logger": s.Logger == nil,
	}
	for name, gone := range missing {
		if gone {
			return nil, fmt.Errorf("handlers: %s is not set", name)
		}
	}
	if s.StaleAfter == 0 {
		s.StaleAfter = 60 * time.Second
	}
	s.table = s.commands()
	planner := &runbooks.Planner{Catalogs: s.Catalogs, Fleet: s.Fleet, Now: s.Now}
	return &Service{
		Settings: s, planner: planner, asker: asker{planner: planner},
		following: make(chan struct{}, followed),
	}, nil
}

// Handle answers one message. It always answers: with a card, or by saying
// why not. settled says that the claim under m.Key was settled by the
// transaction of what was done; whatever did not need one (help, a word that
// was not understood) leaves that to the caller.
func (s *Service) Handle(ctx context.Context, m Message, reply Reply) (settled bool) {
	settled, err := s.handle(ctx, m, reply)
	if err == nil {
		return settled
	}
	return s.explain(ctx, m, reply, err) || settled
}

// OnlyReads says that a message asks for no more than a plain read. Such a
// message need not be durable before it is acknowledged: if it is lost, so is
// an answer and nothing else. What is not understood does not count.
func (s *Service) OnlyReads(m Message) bool {
	if m.Via != Slash {
		return false
	}
	c, err := s.parse(m)
	return err == nil && c.cmd.Class == runbooks.Read
}

func (s *Service) handle(ctx context.Context, m Message, reply Reply) (settled bool, err error) {
	if m.Via == Button || m.Via == Form {
		return s.tap(ctx, m, reply)
	}
	c, err := s.command(ctx, m, reply)
	return c != nil && c.settled, err
}

// dispatch is the one way from a call to what it does: through the gate.
func (s *Service) dispatch(ctx context.Context, c *call, reply Reply) (settled bool, err error) {
	c.reply = reply
	if err := s.gate(ctx, c); err != nil {
		return false, err
	}
	err = c.cmd.do(s, ctx, c)
	return c.settled, err
}

// explain turns an error into what a person reads, and records a refusal.
// Whatever is not one of the known kinds becomes an internal error whose
// details go to the log. settled says that the refusal's record settled the
// claim.
func (s *Service) explain(ctx context.Context, m Message, reply Reply, err error) (settled bool) {
	var (
		refusal *auth.Refusal
		mis     *Misunderstood
		refused *engine.RefusedError
		unknown *runbooks.UnknownError
		said    *Said
		late    *Late
	)
	var c card.Card
	switch {
	case errors.Is(err, engine.ErrSettled):
		// Another replica took this one for dead and has handled it.
		s.Logger.Info("message was handled by another replica", "key", m.Key)
		return true
	case errors.As(err, &refusal):
		c = card.Refusal(refusal.Text)
	case errors.As(err, &late):
		c = card.Late(late.Age, late.Command)
	case errors.As(err, &mis):
		c = s.didYouMean(m, mis)
	case errors.As(err, &unknown):
		c = card.DidYouMean(unknown.Error(), unknown.Suggestions)
	case errors.As(err, &refused):
		c = card.Refusal(refused.Text)
	case errors.As(err, &said):
		c = card.Refusal(said.Text)
	case isPlanError(err):
		c = card.Refusal("Nothing was run: " + err.Error())
	case errors.Is(err, engine.ErrNotFound):
		c = card.Refusal("There is no such run. `runs` lists what is open.")
	case errors.Is(err, engine.ErrLeaseLost):
		c = card.Refusal("I was away for a moment, and another replica may have taken this up: look for its message. If there is none within half a minute, please try again.")
	case errors.Is(err, engine.ErrNewerForm):
		c = card.Refusal("Nothing was done: a newer version of me keeps this run, and I am about to be replaced by it. Please try again in a minute.")
	case errors.Is(err, engine.ErrStoreDown):
		c = card.Refusal("Not done, nothing was sent: my state store does not answer, and nothing may run without a record. Please try again in a minute.")
	default:
		s.Logger.Error("message failed", "key", m.Key, "via", m.Via, "err", err)
		c = card.Refusal("Something went wrong inside me; nothing more was done. My log has the details under “" + shownWord(m.Key) + "”.")
	}
	if err := reply.Whisper(ctx, c); err != nil {
		s.Logger.Error("answer not shown", "key", m.Key, "err", err)
	}
	// Told first and recorded then, which settles the claim: whoever stops in
	// between repeats the word, and never swallows it.
	return refusal != nil && s.recordRefusal(ctx, m, refusal.Text)
}

// isPlanError says that no plan could be made: the planner refused the names or
// parameters of a request, or looking first failed. These sentences are meant
// for people.
func isPlanError(err error) bool {
	var (
		offered *runbooks.NotOfferedError
		placed  *runbooks.PlacementError
		param   *runbooks.ParamError
		look    *LookError
	)
	return errors.As(err, &offered) || errors.As(err, &placed) || errors.As(err, &param) || errors.As(err, &look)
}

// Said is a refusal in words for the person who asked.
type Said struct{ Text string }

func (e *Said) Error() string { return e.Text }

func said(format string, args ...any) error { return &Said{Text: fmt.Sprintf(format, args...)} }

// Late is a command, or a tap, that came too long after the person acted to be
// carried out without asking.
type Late struct {
	Age     time.Duration
	Command string // to repeat it; "" for a tap, whose button still stands
}

func (e *Late) Error() string { return "this reached the bot " + e.Age.String() + " late" }

// append stores the record of a message that changed nothing, and with it
// settles the claim, if there is one.
func (s *Service) append(ctx context.Context, m Message, r audit.Record) error {
	claim := m.Key
	if m.Unclaimed {
		claim = ""
	}
	return s.Log.Append(ctx, r, claim)
}

func (s *Service) recordRefusal(ctx context.Context, m Message, why string) (settled bool) {
	r := audit.Record{At: s.Now(), Kind: audit.Refused, Account: m.Account.String(), Via: string(m.Via), Text: why}
	if err := s.append(ctx, m, r); err != nil {
		s.Logger.Error("refusal not recorded", "account", m.Account.String(), "err", err)
		return false
	}
	return true
}
