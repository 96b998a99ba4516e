package handlers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dhbot/handlers/call"
	"dhbot/handlers/incidents"
	"dhbot/handlers/reads"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
	"dhbot/internal/command"
	"dhbot/internal/command/parser"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/redact"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// Service answers messages: it parses them, checks the gate, and executes them.
type Service struct {
	*call.Base
	*incidents.Incidents
	*reads.Reads
}

// New returns a Service. Every setting must be set.
func New(settings call.Settings) (*Service, error) {
	base, err := call.NewBase(settings)
	if err != nil {
		return nil, err
	}
	return &Service{
		Base:      base,
		Incidents: &incidents.Incidents{Base: base},
		Reads:     reads.New(base),
	}, nil
}

// Handle answers one message, with a card or with the reason for a refusal. The result settled
// reports whether the claim under m.Key was settled in the transaction of the action; otherwise the
// caller settles it. If ctx is cancelled, Handle neither answers nor records anything, because the
// failure may be due to the cancellation, and another replica resumes the message.
func (s *Service) Handle(ctx context.Context, m call.Message, reply call.Reply) (settled bool) {
	settled, err := s.handle(ctx, m, reply)
	switch {
	case err == nil:
		return settled
	case errors.Is(ctx.Err(), context.Canceled):
		s.Logger.WarnContext(ctx, "stopped in the middle of a message", "via", m.Via, "err", err)
		return settled
	case ctx.Err() != nil: // out of time: the answer says so
		told, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerBudget)
		defer cancel()
		ctx = told
	}
	_, settledByAnswer := s.explain(ctx, m, reply, err)
	return settled || settledByAnswer
}

// Receive parses a slash command or a mention on arrival, before the author's access is known. A
// text that is not understood does not count as a read.
func (s *Service) Receive(m call.Message) *call.Parsed {
	if m.Via != call.Slash && (m.Via != call.Mention || m.Edited) {
		return &call.Parsed{}
	}
	r, err := parser.Parse(&s.Grammar, parser.Input{Text: m.Text, Channel: m.Channel, NoChoices: true})
	if err != nil {
		return &call.Parsed{}
	}
	return &call.Parsed{OnlyReads: r.Class() == runbooks.Read, Request: r, Grammar: &s.Grammar}
}

func (s *Service) handle(ctx context.Context, m call.Message, reply call.Reply) (settled bool, err error) {
	if m.Via == call.Button || m.Via == call.Form {
		return s.tap(ctx, m, reply)
	}
	c, err := s.command(ctx, m, reply)
	return c != nil && c.Settled, err
}

// dispatch executes a call if the gate allows it.
func (s *Service) dispatch(ctx context.Context, c *call.Call, reply call.Reply) (settled bool, err error) {
	c.Reply = reply
	if err := s.gate(ctx, c); err != nil {
		return false, err
	}
	err = s.carryOut(ctx, c)
	return c.Settled, err
}

// explain tells the author about an error, and records a refusal by the access rules. It returns the
// code of the refusal, or "" if the error asks something. The result settled reports whether this
// record, or another replica, settled the claim.
func (s *Service) explain(ctx context.Context, m call.Message, reply call.Reply, err error) (code refusal.Code, settled bool) {
	if errors.Is(err, engine.ErrSettled) {
		// Another replica took this replica for dead, and has handled the message.
		s.Logger.InfoContext(ctx, "message was handled by another replica")
		return call.LeaseLost, true
	}
	no := &refusal.Error{}
	c, asks := questionOf(err)
	if !asks {
		no = s.refusalOf(ctx, m, err)
		c = card.Refused(no)
	}
	if err := reply.Ephemeral(ctx, c); err != nil {
		s.Logger.ErrorContext(ctx, "answer not shown", "err", err)
	}
	// The answer comes before the record, because the record settles the claim. If a replica
	// stops in between, the answer is repeated, not lost.
	return no.Code, no.Recorded && s.recordRefusal(ctx, m, no)
}

// questionOf returns the card of an error that asks the person something; asks is false for any other
// error.
func questionOf(err error) (c card.Card, asks bool) {
	var (
		window  *call.WindowError
		late    *call.Late
		asked   *command.Question
		unknown *runbooks.UnknownError
	)
	switch {
	case errors.As(err, &window):
		return runcard.WindowNotOpened(window.Typed), true
	case errors.As(err, &late):
		return card.Late(late.Age, late.Request), true
	case errors.As(err, &asked):
		return card.Question(asked), true
	case errors.As(err, &unknown):
		return card.DidYouMean(unknown.Error(), unknown.Suggestions), true
	default:
		return card.Card{}, false
	}
}

// refusalOf returns an error as a refusal. An unknown kind of error becomes an internal
// error, with its details in the log.
func (s *Service) refusalOf(ctx context.Context, m call.Message, err error) *refusal.Error {
	var (
		no   *refusal.Error
		long *call.TooLong
	)
	switch {
	case errors.As(err, &no):
		return no
	case errors.As(err, &long):
		s.Logger.ErrorContext(ctx, "message not handled in time", "via", m.Via, "err", err)
		return &refusal.Error{Code: call.NotInTime, Text: fmt.Sprintf("Not finished within %.0f min: Slack or a host answers too slowly. Nothing more will be done. Check what was done, then please try again.", long.After.Minutes())}
	case errors.Is(err, publish.ErrNoAnswer):
		s.Logger.ErrorContext(ctx, "Slack did not accept an answer in time", "via", m.Via, "err", err)
		return &refusal.Error{Code: call.NotInTime, Text: "Slack did not take my answer in time, so it may be missing or incomplete. Nothing more will be done. Check what was done, then please try again."}
	case call.IsPlanError(err):
		return &refusal.Error{Code: call.NoPlan, Text: "Nothing was run: " + err.Error()}
	case errors.Is(err, command.ErrFields):
		s.Logger.InfoContext(ctx, "a button could not be used", "err", err)
		return &refusal.Error{Code: call.OldButton, Text: "This button is from another version of the bot, or its target is gone. Type the command instead; nothing was run."}
	case errors.Is(err, engine.ErrLeaseLost):
		return &refusal.Error{Code: call.LeaseLost, Text: "I lost contact with my state store for a moment, and another replica may have taken over your message. If you get no answer within half a minute, please try again."}
	case errors.Is(err, engine.ErrNewerForm):
		return &refusal.Error{Code: call.OldReplica, Text: "Nothing was done: this run was stored by a newer version of the bot, which is about to replace me. Please try again in a minute."}
	case errors.Is(err, engine.ErrStoreDown):
		return &refusal.Error{Code: call.StoreDown, Text: "Not done, nothing was sent: my state store does not answer, and nothing may run without a record. Please try again in a minute."}
	default:
		s.Logger.ErrorContext(ctx, "message failed", "via", m.Via, "err", err)
		return &refusal.Error{Code: call.Internal, Text: "Something went wrong inside me; nothing more was done. My log has the details " + s.inLog(m) + "."}
	}
}

// inLog says where the log has the details of a message: under the message's id, or at a time. A
// message that could not be stored has no id.
func (s *Service) inLog(m call.Message) string {
	if m.Key == "" {
		return "at " + s.Now().UTC().Format("15:04:05 UTC")
	}
	return "under “" + redact.Line(m.Key, 60) + "”"
}

func (s *Service) recordRefusal(ctx context.Context, m call.Message, why *refusal.Error) (settled bool) {
	r := audit.Record{
		At:      s.Now(),
		Kind:    audit.Refused,
		Account: m.Account.String(),
		Via:     string(m.Via),
		Cluster: why.Cluster,
		Text:    why.Text,
	}
	if err := s.Append(ctx, m, r); err != nil {
		s.Logger.ErrorContext(ctx, "refusal not recorded", "account", m.Account.String(), "err", err)
		return false
	}
	return true
}

// answerBudget limits the time for answering a message whose own time limit has passed.
const answerBudget = 10 * time.Second
