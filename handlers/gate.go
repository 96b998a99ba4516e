package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/handlers/incidents"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/refusal"
	"dhbot/internal/tracing"
	"dhbot/runbooks"
)

// gate decides whether a call may continue. Every command passes it. A command with a plan
// is also checked against the plan's own class. The gate loads the run of a command once,
// for itself and the handler.
func (s *Service) gate(ctx context.Context, c *call.Call) (err error) {
	ctx, span := tracing.Begin(ctx, "gate", tracing.VerbKey.String(c.Cmd.Verb))
	defer func() { tracing.End(span, err) }()
	class := c.Class()
	age := call.Recent
	if class.Changing() {
		age = call.Fresh
	}
	p, err := s.Author(ctx, c.Message, age)
	if err != nil {
		return err
	}
	c.Who = p
	if err := s.mayHere(ctx, c, class); err != nil {
		return err
	}
	switch c.Cmd.Object {
	case command.RunNamed:
	case command.IncidentNamed:
		return s.MayHandle(ctx, c)
	default:
		if c.Cmd.Verb == incidents.WindowApprove || c.Cmd.Verb == incidents.WindowCancel {
			return s.MayDecide(ctx, c)
		}
		if err := s.Rules.MayAsk(p.Person, c.Cluster.Name, class, c.Channel); err != nil {
			return err
		}
		return auth.MayInSilence(p.SilentSince, class, c.Origin, "")
	}
	if err := s.loadRun(ctx, c); err != nil {
		return err
	}
	return s.mayRun(c)
}

// loadRun loads the run of a call. If the author may not read the run, the command is answered
// and recorded as if the run did not exist.
func (s *Service) loadRun(ctx context.Context, c *call.Call) error {
	st, err := s.Runs.Get(ctx, c.Run)
	sees := s.Sees(c.Who.Person, c.Channel)
	hidden := errors.Is(err, engine.ErrNotFound)
	switch {
	case err == nil:
		hidden = !sees(st.Run.Plan.Cluster)
	case errors.Is(err, engine.ErrNewerForm): // the cluster of the run is unknown
		hidden = slices.ContainsFunc(s.ClusterNames(), func(cluster string) bool { return !sees(cluster) })
	}
	if hidden {
		text := "There is no run " + c.Run + ". `runs` lists open and recent runs."
		return &refusal.Error{Code: auth.NoSuchRun, Text: text, Recorded: true}
	}
	if err != nil {
		return err
	}
	c.About = st.Run
	cl, ok := s.Fleet.Cluster(st.Run.Plan.Cluster)
	if !ok {
		return fmt.Errorf("%s is a run of the cluster %q, which the config does not have", c.Run, st.Run.Plan.Cluster)
	}
	return s.SetCluster(c, cl)
}

// runRule selects which readers of a run's cluster may use a verb on the run.
type runRule uint8

// All rules.
const (
	anyReader runRule = iota + 1
	anOperator
	anApprover  // an approver, never the requester
	theAsker    // the requester or an approver
	anotherOne  // an approver; below Sev 1 also the requester
	whoApproved // a person who approved the run; the engine checks that
)

// runRules are the rules of the verbs for runs.
var runRules = map[string]runRule{
	"show": anyReader, "details": anyReader, "approve": anApprover, "deny": anApprover, "looking": anApprover,
	"withdraw": whoApproved, "cancel": theAsker, "done": anOperator, "close": anotherOne, "continue": anOperator, "byhand": anOperator,
}

// mayRun checks whether the author may use the verb on the loaded run.
func (s *Service) mayRun(c *call.Call) error {
	r := c.About
	asked := r.Asked.Person == c.Who.Name
	approver := func() error {
		err := s.Rules.MayVote(c.Who.Person, r.Asked.Person, r.Plan.Cluster, r.Plan.Class)
		if c.Cmd.Verb == "deny" && refusal.Is(err, auth.OwnRequest) && !r.State.Ended() {
			return auth.RefuseIn(r.Plan.Cluster, auth.OwnRequest, "%s", engine.OnlyCancels(r))
		}
		if err != nil || c.Cmd.Verb != "approve" {
			return err
		}
		return auth.MayInSilence(c.Who.SilentSince, r.Plan.Class, c.Origin, r.Asked.Origin)
	}
	switch runRules[c.Cmd.Verb] {
	case anyReader, whoApproved:
		return nil
	case anOperator:
		return s.Rules.MayAsk(c.Who.Person, r.Plan.Cluster, r.Plan.Class, r.Place.Channel)
	case anApprover:
		return approver()
	case theAsker:
		if asked {
			return nil
		}
		return approver()
	case anotherOne:
		if asked && r.Plan.Severity.Minor() {
			return nil
		}
		return approver()
	default:
		return fmt.Errorf("no rule says who may %s a run", c.Cmd.Verb)
	}
}

// mayHere refuses a change whose message arrived late or is unclaimed. It also refuses a change in
// a channel that outsiders can read. In a channel of which the bot is not a member, a change is
// refused because no one there would see the request and its outcome.
func (s *Service) mayHere(ctx context.Context, c *call.Call, class runbooks.Class) error {
	if !class.Changing() {
		return nil
	}
	if c.Outside {
		return refusal.New(call.WrongPlace, "Not allowed: I am not in this channel, so no one here would see your request and its result. Invite me with /invite and ask again, or ask in a channel that I am in; nothing was run.")
	}
	if c.ChannelShared {
		return refusal.New(call.WrongPlace, "Not allowed: this channel is shared with another organisation. Ask in a channel of your own organisation only; nothing was run.")
	}
	if c.Via != call.Terminal && (c.Key == "" || c.Unclaimed) {
		return refusal.New(call.StoreDown, "Not accepted: my state store does not answer, and nothing may run without a record. Nothing was run; please try again in a minute.")
	}
	if age := s.Now().Sub(c.At); age > s.StaleAfter && c.Via != call.Terminal {
		late := &call.Late{Age: age}
		if c.Via == call.Slash || c.Via == call.Mention || c.Via == call.Shortcut {
			f := c.Req.Fields()
			late.Request = &f
		}
		return late
	}
	return s.mayThisReplica(ctx)
}

// mayThisReplica refuses changes while the replicas have different configs, because the decision
// would depend on the replica.
func (s *Service) mayThisReplica(ctx context.Context) error {
	if s.Agrees == nil {
		return nil
	}
	why, err := s.Agrees(ctx)
	if err != nil {
		return err
	}
	if why != "" {
		return refusal.New(call.OtherConfig, "Not accepted: %s. Nothing was done. Please try again: another replica may accept it. Please also tell the bot's administrator.", why)
	}
	return nil
}

// Recheck is the engine's Gate. Before a run starts and before each of its steps, it checks the
// requester and the approvals again, with new data. Before the start it also calls stillAs.
func (s *Service) Recheck(ctx context.Context, r engine.Run) error {
	asker, err := s.Identify(ctx, r.Asked.Account, call.Fresh)
	if err != nil {
		return fmt.Errorf("the requester %s: %w", r.Asked.Person, err)
	}
	if err := s.Rules.MayAsk(asker.Person, r.Plan.Cluster, r.Plan.Class, r.Place.Channel); err != nil {
		return fmt.Errorf("the requester %s: %w", r.Asked.Person, err)
	}
	if err := auth.MayInSilence(asker.SilentSince, r.Plan.Class, "", ""); err != nil {
		return fmt.Errorf("the requester %s: %w", r.Asked.Person, err)
	}
	valid := map[string]bool{}
	for _, v := range r.Votes {
		voter, err := s.Identify(ctx, v.Account, call.Fresh)
		if err != nil {
			return fmt.Errorf("the approver %s: %w", v.Person, err)
		}
		if err := s.Rules.MayVote(voter.Person, r.Asked.Person, r.Plan.Cluster, r.Plan.Class); err != nil {
			return fmt.Errorf("the approver %s: %w", v.Person, err)
		}
		if err := auth.MayInSilence(voter.SilentSince, r.Plan.Class, v.Origin, r.Asked.Origin); err != nil {
			return fmt.Errorf("the approver %s: %w", v.Person, err)
		}
		if v.Digest == r.Plan.Digest {
			valid[voter.Name] = true
		}
	}
	need := max(r.Need, s.Rules.Policy.VotesNeeded(r.Plan.Class, r.Plan.Severity))
	if len(valid) < need {
		return fmt.Errorf("%d of %d needed approvals are valid for plan %s", len(valid), need, short(r.Plan.Digest))
	}
	if r.StartedAt == nil {
		return s.stillAs(ctx, r)
	}
	return nil
}

// Derive makes a run's plan again from its inputs and this replica's catalog and config.
func (s *Service) Derive(r engine.Run) (runbooks.Plan, error) { return s.Planner.Plan(r.Inputs) }

func short(digest string) string {
	if len(digest) > 6 {
		return digest[:6]
	}
	return digest
}
