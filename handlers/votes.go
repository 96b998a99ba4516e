package handlers

import (
	"context"
	"strconv"
	"strings"

	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/command"
	"dhbot/internal/command/words"
	"dhbot/internal/engine"
	"dhbot/internal/redact"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// Actions of the buttons on a run's message, and of the forms that these open. The value of each is
// the id of the run and the digest of its plan, "R-XXXX DIGEST".
const (
	TapApprove  = card.TapApprove
	TapDeny     = card.TapDeny
	TapDenied   = card.TapDenied
	TapApproved = card.TapApproved
	TapCancel   = card.TapCancel
)

// tap handles a tapped button or a submitted form. It passes the same gate as a typed command.
func (s *Service) tap(ctx context.Context, m call.Message, reply call.Reply) (settled bool, err error) {
	switch m.Tap.Action {
	case card.TapAsk:
		return s.ask(ctx, m, reply)
	case card.TapCommand:
		return s.tapCommand(ctx, m, reply)
	case card.TapNoted:
		c, err := s.BuildCall(ctx, m, command.Fields{Verb: "note", Incident: m.Tap.Value, Reason: m.Tap.Fields["text"]})
		if err != nil {
			return false, err
		}
		return s.dispatch(ctx, c, reply)
	case card.TapRun:
		return s.runProposal(ctx, m, reply)
	}
	verb, known := map[string]string{
		TapApprove: "approve", TapApproved: "approve", TapDeny: "deny", TapDenied: "deny", TapCancel: "cancel",
		card.TapDone: "done", card.TapLooking: "looking", card.TapDetails: "details",
	}[m.Tap.Action]
	if !known {
		return false, refusal.New(call.OldButton, "This button is from another version of the bot. Type the command instead; `help` lists all commands.")
	}
	id, digest, _ := strings.Cut(m.Tap.Value, " ")
	digest, page, _ := strings.Cut(digest, " ")
	c, err := s.BuildCall(ctx, m, command.Fields{Verb: verb, Run: id, Reason: m.Tap.Fields["text"]})
	if err != nil {
		return false, err
	}
	c.Digest = digest
	c.Page, _ = strconv.Atoi(page) // default: the first page
	return s.dispatch(ctx, c, reply)
}

// tapCommand handles a button that stands for a command. In older versions the value of such a
// button was the command's text. Such a button is executed only if the command is a read.
func (s *Service) tapCommand(ctx context.Context, m call.Message, reply call.Reply) (settled bool, err error) {
	f, err := command.Decode(m.Tap.Value)
	if err != nil {
		m.Text = m.Tap.Value
		c, asked := s.Understand(ctx, m)
		if asked != nil || c.Req.Changing() {
			return false, err
		}
		return s.dispatch(ctx, c, reply)
	}
	c, err := s.BuildCall(ctx, m, f)
	if err != nil {
		return false, err
	}
	return s.dispatch(ctx, c, reply)
}

// apply applies an event to the run of a call and settles the call's claim in the same
// transaction.
func (s *Service) apply(ctx context.Context, c *call.Call, e engine.Event) error {
	st, err := s.Engine.Apply(ctx, c.Run, e, c.Key)
	if c.Settled = err == nil; err != nil {
		return err
	}
	if (c.Via == call.Mention || c.Via == call.Slash) && c.Channel != st.Run.Place.Channel {
		return c.Reply.Ephemeral(ctx, runcard.DoneElsewhere(st.Run, c.Cmd.Verb, s.cardLink(ctx, st.Run.ID)))
	}
	return nil
}

// cardLink returns the URL of a run's card, "" if unknown.
func (s *Service) cardLink(ctx context.Context, run string) string {
	if s.CardLink == nil {
		return ""
	}
	link, err := s.CardLink(ctx, run)
	if err != nil {
		s.Logger.WarnContext(ctx, "the link of a run's card is not known", "run", run, "err", err)
	}
	return link
}

func (s *Service) actor(c *call.Call) engine.Actor {
	a := engine.Actor{Person: c.Who.Name, Account: c.Account, Via: string(c.Via), Origin: c.Origin}
	if since := c.Who.SilentSince; !since.IsZero() {
		since = since.UTC()
		a.SilentSince = &since
	}
	return a
}

// approve records an approval. A typed approval must include the target's name, in case
// the id was misread from another card. A destructive run, or one over a whole host or
// cluster, always requires the typed name.
func (s *Service) approve(ctx context.Context, c *call.Call) error {
	r := c.About
	digest := c.Digest
	if digest == "" && c.Via != call.Button && c.Via != call.Form {
		digest = r.Plan.Digest
	}
	if r.State != engine.Waiting {
		return engine.Settled(r) // it is too late: report this before asking for the name
	}
	if c.Via == call.Button && r.Plan.NameTyped() {
		return c.Reply.Ask(ctx, runcard.TypeName(r))
	}
	if c.Via != call.Button {
		if typed := words.Plain(firstWord(c.Rest)); !names(r, typed) {
			return refusal.New(call.BadArgument, "To approve %s type its target as well: `approve %s %s`. Nothing was approved.", r.ID, r.ID, runcard.Target(r))
		}
	}
	return s.apply(ctx, c, engine.Voted{By: s.actor(c), Digest: digest})
}

// names reports whether a typed word is the run's target.
func names(r engine.Run, typed string) bool {
	return typed != "" && typed == words.Plain(runcard.Target(r))
}

func (s *Service) deny(ctx context.Context, c *call.Call) error {
	r := c.About
	reason := redact.Line(c.Rest, call.ReasonRunes)
	if reason == "" && c.Via == call.Button && r.StartedAt == nil && !r.State.Ended() {
		return c.Reply.Ask(ctx, runcard.WhyDeny(r))
	}
	return s.apply(ctx, c, engine.DeniedBy{By: s.actor(c), Reason: reason})
}

func (s *Service) withdraw(ctx context.Context, c *call.Call) error {
	return s.apply(ctx, c, engine.WithdrawnVote{By: s.actor(c)})
}

// cancel ends a run that has not started, or stops a run that has.
func (s *Service) cancel(ctx context.Context, c *call.Call) error {
	return s.apply(ctx, c, engine.CancelledBy{By: s.actor(c), Reason: redact.Line(c.Rest, call.ReasonRunes)})
}

// tick completes the manual step that a run is waiting for.
func (s *Service) tick(ctx context.Context, c *call.Call) error {
	r := c.About
	for i, st := range r.Steps {
		if r.Plan.Steps[i].Kind == runbooks.Manual && (st.State == engine.StepStarted || st.State == engine.StepPending) {
			return s.apply(ctx, c, engine.StepCompleted{By: s.actor(c), Index: i, Note: redact.Line(c.Rest, call.ReasonRunes)})
		}
	}
	return engine.Settled(r)
}

// closeUnknown records a person's finding about a run with an unknown outcome.
func (s *Service) closeUnknown(ctx context.Context, c *call.Call) error {
	reason := redact.Line(c.Rest, call.ReasonRunes)
	if reason == "" {
		return refusal.New(engine.NeedsReason, "Say what you found: `close %s REASON`. Nothing was closed.", c.Run)
	}
	return s.apply(ctx, c, engine.ClosedBy{By: s.actor(c), Reason: reason})
}

func firstWord(s string) string {
	w := words.Of(s)
	if len(w) == 0 {
		return ""
	}
	return w[0]
}
