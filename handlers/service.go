package handlers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"dhbot/auth"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/publish"
	"dhbot/internal/redact"
	"dhbot/internal/remote"
	"dhbot/internal/status"
	"dhbot/runbooks"
	"dhbot/runbooks/planner"
)

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

// Service answers messages.
type Service struct {
	Settings
	planner *planner.Planner

	views sync.Map // names of clusters → *Grammar of who may read these only

	following chan struct{} // a seat for each log that is followed
}

// New checks that nothing is missing: a missing dependency must not turn into
// a check that is skipped.
func New(s Settings) (*Service, error) {
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
	return &Service{
		Settings: s, planner: planner,
		following: make(chan struct{}, followed),
	}, nil
}

// answerBudget bounds saying why something was not done when the time for doing it
// is over.
const answerBudget = 10 * time.Second

// Handle answers one message. It always answers: with a card, or by saying
// why not. settled says that the claim under m.Key was settled by the
// transaction of what was done; whatever did not need one (help, a word that
// was not understood) leaves that to the caller. Where ctx was cancelled in the
// middle nothing is said or recorded: what failed then may be well, and the
// message is left to whoever takes it up.
func (s *Service) Handle(ctx context.Context, m Message, reply Reply) (settled bool) {
	settled, err := s.handle(ctx, m, reply)
	switch {
	case err == nil:
		return settled
	case errors.Is(ctx.Err(), context.Canceled):
		s.Logger.WarnContext(ctx, "stopped in the middle of a message", "via", m.Via, "err", err)
		return settled
	case ctx.Err() != nil: // its time is over, and the person is told so
		told, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerBudget)
		defer cancel()
		ctx = told
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
	r, err := s.Parse(command.Input{Text: m.Text, Channel: m.Channel, NoChoices: true})
	return err == nil && r.Class() == runbooks.Read
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
	err = s.carryOut(ctx, c)
	return c.settled, err
}

// explain turns an error into what a person reads, and records a refusal.
// Whatever is not one of the known kinds becomes an internal error whose
// details go to the log. settled says that the refusal's record settled the
// claim.
func (s *Service) explain(ctx context.Context, m Message, reply Reply, err error) (settled bool) {
	var (
		refusal *auth.Refusal
		asked   *command.Question
		refused *engine.RefusedError
		unknown *runbooks.UnknownError
		said    *Said
		late    *Late
		window  *WindowError
	)
	var c card.Card
	switch {
	case errors.Is(err, engine.ErrSettled):
		// Another replica took this one for dead and has handled it.
		s.Logger.InfoContext(ctx, "message was handled by another replica")
		return true
	case errors.As(err, &refusal):
		c = card.Refusal(refusal.Text)
	case errors.As(err, &window):
		c = runcard.WindowNotOpened(window.Typed)
	case errors.As(err, &late):
		c = card.Late(late.Age, late.Request)
	case errors.As(err, &asked):
		c = card.Question(asked)
	case errors.As(err, &unknown):
		c = card.DidYouMean(unknown.Error(), unknown.Suggestions)
	case errors.As(err, &refused):
		c = card.Refusal(refused.Text)
	case errors.As(err, &said):
		c = card.Refusal(said.Text)
	case isPlanError(err):
		c = card.Refusal("Nothing was run: " + err.Error())
	case errors.Is(err, command.ErrFields):
		s.Logger.InfoContext(ctx, "a button could not be used", "err", err)
		c = card.Refusal("This button is from another version of the bot, or its target is gone. Type the command instead; nothing was run.")
	case errors.Is(err, engine.ErrLeaseLost):
		c = card.Refusal("I was away for a moment, and another replica may have taken this up: look for its message. If there is none within half a minute, please try again.")
	case errors.Is(err, engine.ErrNewerForm):
		c = card.Refusal("Nothing was done: a newer version of me keeps this run, and I am about to be replaced by it. Please try again in a minute.")
	case errors.Is(err, engine.ErrStoreDown):
		c = card.Refusal("Not done, nothing was sent: my state store does not answer, and nothing may run without a record. Please try again in a minute.")
	default:
		s.Logger.ErrorContext(ctx, "message failed", "via", m.Via, "err", err)
		c = card.Refusal("Something went wrong inside me; nothing more was done. My log has the details under “" + redact.Line(m.Key, 60) + "”.")
	}
	if err := reply.Ephemeral(ctx, c); err != nil {
		s.Logger.ErrorContext(ctx, "answer not shown", "err", err)
	}
	// Answered first and recorded then, which settles the claim: a replica that stops in
	// between repeats the word, and never swallows it.
	return refusal != nil && s.recordRefusal(ctx, m, refusal)
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

// Said is a refusal in words for the requester.
type Said struct{ Text string }

func (e *Said) Error() string { return e.Text }

func said(format string, args ...any) error { return &Said{Text: fmt.Sprintf(format, args...)} }

// WindowError says that a form did not open: Slack takes one within 3 s of the
// tap only.
type WindowError struct {
	Typed string // the command that does the same
	Err   error
}

func (e *WindowError) Error() string { return "the window did not open: " + e.Err.Error() }
func (e *WindowError) Unwrap() error { return e.Err }

// Late is a command, or a tap, that came too long after the person acted to be
// carried out without asking.
type Late struct {
	Age     time.Duration
	Request *command.Fields // to repeat it; nil for a tap, whose button still stands
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

func (s *Service) recordRefusal(ctx context.Context, m Message, why *auth.Refusal) (settled bool) {
	r := audit.Record{
		At:      s.Now(),
		Kind:    audit.Refused,
		Account: m.Account.String(),
		Via:     string(m.Via),
		Cluster: why.Cluster,
		Text:    why.Text,
	}
	if err := s.append(ctx, m, r); err != nil {
		s.Logger.ErrorContext(ctx, "refusal not recorded", "account", m.Account.String(), "err", err)
		return false
	}
	return true
}
