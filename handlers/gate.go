package handlers

import (
	"context"
	"fmt"
	"time"

	"dhbot/auth"
	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// person is somebody whom the config knows and the platform vouches for.
type person struct {
	auth.Person
	Account auth.Account
}

// How old an answer about a person may be: for reads a moment, for whatever
// changes something not at all.
const (
	recent = 30 * time.Second
	fresh  = 0
)

// identify asks the platform who an account is, and the rules whether they
// know it.
func (s *Service) identify(ctx context.Context, a auth.Account, maxAge time.Duration) (person, error) {
	profile, err := s.Directory.Lookup(ctx, a, maxAge)
	if err != nil {
		s.Logger.Warn("lookup failed", "account", a.String(), "err", err)
		return person{}, &auth.Refusal{Code: auth.LookupFailed, Text: "Not allowed: I could not find out who you are, and so cannot let you in. Please try again."}
	}
	profile.Account = a // whoever answered, the question was about a
	p, err := s.Rules.Identify(profile)
	return person{Person: p, Account: a}, err
}

// gate decides whether a call may go on. Every command passes here; a command
// that makes a plan is checked against the plan's own class as well.
func (s *Service) gate(ctx context.Context, c *call) error {
	if (c.Via == Terminal) != (c.Account.Team == auth.LocalTeam) {
		// Only a terminal vouches for a local account, and for no other.
		return &auth.Refusal{Code: auth.LookupFailed, Text: "Not allowed: nobody vouches for this account here."}
	}
	class := c.cmd.Class
	age := recent
	if class.Changing() {
		age = fresh
	}
	p, err := s.identify(ctx, c.Account, age)
	if err != nil {
		return err
	}
	c.who = p
	if err := s.mayHere(ctx, c, class); err != nil {
		return err
	}
	if c.cmd.Object == RunNamed && class.Changing() {
		return nil // the run's own cluster decides, in its handler
	}
	return s.Rules.MayAsk(p.Person, c.cluster.Name, class, c.Channel)
}

// mayHere refuses what changes something when it comes late, unclaimed, or
// from a channel that outsiders read or that the bot is not in: nobody there
// would see what was asked for, and what became of it.
func (s *Service) mayHere(ctx context.Context, c *call, class runbooks.Class) error {
	if !class.Changing() {
		return nil
	}
	if c.Outside {
		return said("Not allowed: I am not in this channel, so nobody here would see what you ask for and what becomes of it. Invite me with /invite and ask again, or ask in a channel that I am in; nothing was run.")
	}
	if c.ChannelShared {
		return said("Not allowed: this channel is shared with another organisation. Ask in a channel of your own; nothing was run.")
	}
	if c.Via != Terminal && (c.Key == "" || c.Unclaimed) {
		return said("Not accepted: my state store does not answer, and nothing may run without a record. Nothing was run; please try again in a minute.")
	}
	if age := s.Now().Sub(c.At); age > s.StaleAfter && c.Via != Terminal {
		late := &Late{Age: age}
		if c.Via == Slash || c.Via == Mention || c.Via == Shortcut {
			late.Command = c.Text
		}
		return late
	}
	return s.mayThisReplica(ctx)
}

// mayThisReplica refuses whatever changes something while the replicas do not
// agree on one config: what is allowed would depend on who hears it.
func (s *Service) mayThisReplica(ctx context.Context) error {
	if s.Agrees == nil {
		return nil
	}
	why, err := s.Agrees(ctx)
	if err != nil {
		return err
	}
	if why != "" {
		return said("Not accepted: %s. Nothing was done; please try again, another replica may answer, and tell whoever runs the bot.", why)
	}
	return nil
}

// Recheck is the engine's Gate: the same rules once more, with fresh facts,
// before a run starts and before each of its steps.
func (s *Service) Recheck(ctx context.Context, r engine.Run) error {
	asker, err := s.identify(ctx, r.Asked.Account, fresh)
	if err != nil {
		return fmt.Errorf("%s who asked: %w", r.Asked.Person, err)
	}
	if err := s.Rules.MayAsk(asker.Person, r.Plan.Cluster, r.Plan.Class, r.Place.Channel); err != nil {
		return fmt.Errorf("%s who asked: %w", r.Asked.Person, err)
	}
	valid := map[string]bool{}
	for _, v := range r.Votes {
		voter, err := s.identify(ctx, v.Account, fresh)
		if err != nil {
			return fmt.Errorf("%s who approved: %w", v.Person, err)
		}
		if err := s.Rules.MayVote(voter.Person, r.Asked.Person, r.Plan.Cluster, r.Plan.Class); err != nil {
			return fmt.Errorf("%s who approved: %w", v.Person, err)
		}
		if v.Digest == r.Plan.Digest {
			valid[voter.Name] = true
		}
	}
	need := max(r.Need, s.Rules.Policy.VotesNeeded(r.Plan.Class, r.Plan.Severity))
	if len(valid) < need {
		return fmt.Errorf("%d of %d needed votes are valid for plan %s", len(valid), need, short(r.Plan.Digest))
	}
	now, err := s.planner.Plan(r.Inputs)
	if err != nil {
		return fmt.Errorf("the plan cannot be made any more: %w", err)
	}
	if now.Digest != r.Plan.Digest {
		return fmt.Errorf("catalog or config changed since: the plan would now be %s, approved was %s", short(now.Digest), short(r.Plan.Digest))
	}
	if r.StartedAt == nil {
		return s.relist(ctx, r.Inputs)
	}
	return nil
}

func short(digest string) string {
	if len(digest) > 6 {
		return digest[:6]
	}
	return digest
}
