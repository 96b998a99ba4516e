package handlers

import (
	"context"
	"strconv"
	"strings"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/redact"
	"dhbot/runbooks"
)

// Taps that a run's message offers. The value is "R-XXXX DIGEST".
const (
	TapApprove  = card.TapApprove
	TapDeny     = card.TapDeny
	TapDenied   = card.TapDenied
	TapApproved = card.TapApproved
	TapCancel   = card.TapCancel
)

// tap is a button or a form: it carries a run id and a digest, or a command of
// the table. It goes through the same gate as a typed command.
func (s *Service) tap(ctx context.Context, m Message, reply Reply) (settled bool, err error) {
	switch m.Tap.Action {
	case card.TapAsk:
		return s.ask(ctx, m, reply)
	case card.TapCommand:
		m.Text = m.Tap.Value
		c, err := s.parse(m)
		if err != nil {
			return false, err
		}
		return s.dispatch(ctx, c, reply)
	}
	verb, known := map[string]string{
		TapApprove: "approve", TapApproved: "approve", TapDeny: "deny", TapDenied: "deny", TapCancel: "cancel",
		card.TapDone: "done", card.TapLooking: "looking", card.TapDetails: "details",
	}[m.Tap.Action]
	if !known {
		return false, said("I don't know this button any more. Type the command instead; `help` lists them.")
	}
	id, digest, _ := strings.Cut(m.Tap.Value, " ")
	digest, page, _ := strings.Cut(digest, " ")
	m.Text = strings.TrimSpace(verb + " " + id + " " + m.Tap.Fields["text"])
	c, err := s.parse(m)
	if err != nil {
		return false, err
	}
	c.digest = digest
	c.page, _ = strconv.Atoi(page) // the first where none is named
	return s.dispatch(ctx, c, reply)
}

// open gets a run for somebody who wants to act on it, and checks that they
// may vote on it or asked for it.
func (s *Service) open(ctx context.Context, c *call) (engine.Run, error) {
	st, err := s.Runs.Get(ctx, c.run)
	if err != nil {
		return engine.Run{}, err
	}
	cl, ok := s.Fleet.Cluster(st.Run.Plan.Cluster)
	if !ok {
		return engine.Run{}, said("%s is about %s, which the config does not have any more.", c.run, st.Run.Plan.Cluster)
	}
	return st.Run, s.setCluster(c, cl)
}

func (s *Service) mayVote(c *call, r engine.Run) error {
	return s.Rules.MayVote(c.who.Person, r.Asked.Person, r.Plan.Cluster, r.Plan.Class)
}

// apply makes an event happen to the run that a call is about, and settles the
// call's claim with it.
func (s *Service) apply(ctx context.Context, c *call, e engine.Event) error {
	_, err := s.Engine.Apply(ctx, c.run, e, c.Key)
	c.settled = err == nil
	return err
}

func (s *Service) actor(c *call) engine.Actor {
	return engine.Actor{Person: c.who.Name, Account: c.Account, Via: string(c.Via)}
}

// approve takes a vote. Typed, it wants the target's name as well, so that an
// id misread from another card approves nothing; a destructive run wants the
// name typed however it is approved.
func (s *Service) approve(ctx context.Context, c *call) error {
	r, err := s.open(ctx, c)
	if err != nil {
		return err
	}
	if err := s.mayVote(c, r); err != nil {
		return err
	}
	digest := c.digest
	if digest == "" && c.Via != Button && c.Via != Form {
		digest = r.Plan.Digest
	}
	if r.State != engine.Waiting {
		return engine.Settled(r) // nobody types a name to learn that they are late
	}
	if c.Via == Button && r.Plan.Class == runbooks.Destructive {
		return c.reply.Ask(ctx, card.TypeName(r))
	}
	if c.Via != Button {
		if typed := word(firstWord(c.rest)); !names(r, typed) {
			return said("To approve %s type its target as well: `approve %s %s`. Nothing was approved.", r.ID, r.ID, card.Target(r))
		}
	}
	return s.apply(ctx, c, engine.Voted{By: s.actor(c), Digest: digest})
}

// names says that a typed word is the run's target.
func names(r engine.Run, typed string) bool {
	return typed != "" && typed == word(card.Target(r))
}

func (s *Service) deny(ctx context.Context, c *call) error {
	r, err := s.open(ctx, c)
	if err != nil {
		return err
	}
	if err := s.mayVote(c, r); err != nil {
		return err
	}
	reason := redact.Line(c.rest, reasonRunes)
	if reason == "" && c.Via == Button && r.StartedAt == nil && !r.State.Ended() {
		return c.reply.Ask(ctx, card.WhyDeny(r))
	}
	return s.apply(ctx, c, engine.DeniedBy{By: s.actor(c), Reason: reason})
}

func (s *Service) withdraw(ctx context.Context, c *call) error {
	if _, err := s.open(ctx, c); err != nil {
		return err
	}
	return s.apply(ctx, c, engine.WithdrawnVote{By: s.actor(c)})
}

// cancel is for who asked; anybody who may approve can stop a run that is
// under way.
func (s *Service) cancel(ctx context.Context, c *call) error {
	r, err := s.open(ctx, c)
	if err != nil {
		return err
	}
	if r.Asked.Person != c.who.Name {
		if err := s.mayVote(c, r); err != nil {
			return err
		}
	}
	return s.apply(ctx, c, engine.CancelledBy{By: s.actor(c), Reason: redact.Line(c.rest, reasonRunes)})
}

// tick is a person's word that a manual step is done: who asked or who may
// approve.
func (s *Service) tick(ctx context.Context, c *call) error {
	r, err := s.open(ctx, c)
	if err != nil {
		return err
	}
	if err := s.Rules.MayAsk(c.who.Person, r.Plan.Cluster, r.Plan.Class, r.Place.Channel); err != nil {
		return err
	}
	for i, st := range r.Steps {
		if r.Plan.Steps[i].Kind == runbooks.Manual && (st.State == engine.StepStarted || st.State == engine.StepPending) {
			return s.apply(ctx, c, engine.TickedBy{By: s.actor(c), Index: i, Note: redact.Line(c.rest, reasonRunes)})
		}
	}
	return engine.Settled(r)
}

// closeUnknown lets a person say what became of a run whose fate is unknown.
// For Sev 1 that is somebody else than who asked.
func (s *Service) closeUnknown(ctx context.Context, c *call) error {
	r, err := s.open(ctx, c)
	if err != nil {
		return err
	}
	if r.Plan.Severity == runbooks.Critical || r.Asked.Person != c.who.Name {
		if err := s.mayVote(c, r); err != nil {
			return err
		}
	}
	reason := redact.Line(c.rest, reasonRunes)
	if reason == "" {
		return said("Say what you found: `close %s REASON`. Nothing was closed.", r.ID)
	}
	return s.apply(ctx, c, engine.ClosedBy{By: s.actor(c), Reason: reason})
}

func firstWord(s string) string {
	w := words(s)
	if len(w) == 0 {
		return ""
	}
	return w[0]
}
