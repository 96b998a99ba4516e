package incidents

import (
	"context"
	"errors"
	"slices"
	"strings"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card/incidentcard"
	"dhbot/internal/command"
	"dhbot/internal/command/words"
	"dhbot/internal/engine"
	"dhbot/internal/incident"
	"dhbot/internal/redact"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// Incidents handles the verbs for incidents, maintenance and watches.
type Incidents struct{ *call.Base }

// openIncidents returns the open incidents of the clusters that the caller may
// read, each with its owner, mute and notes.
func (s *Incidents) openIncidents(ctx context.Context, c *call.Call) ([]incidentcard.OpenIncident, error) {
	sees := s.Sees(c.Who.Person, c.Channel)
	var out []incidentcard.OpenIncident
	for _, cl := range s.Fleet.Clusters {
		if !sees(cl.Name) {
			continue
		}
		kept, _, err := incident.KeptCluster(ctx, s.Keeper, cl.Name)
		if err != nil {
			return nil, newerForm(err)
		}
		handlings, err := incident.Handlings(ctx, s.Keeper, cl.Name)
		if err != nil {
			return nil, newerForm(err)
		}
		for _, i := range kept.Incidents {
			if i.Ended == nil {
				out = append(
					out,
					incidentcard.OpenIncident{Incident: *i, Cluster: cl.Name, Handling: incident.HandlingOf(handlings, cl.Name, *i)},
				)
			}
		}
	}
	return out, nil
}

// newerForm turns incident.ErrNewerForm, which means that a newer replica wrote the data, into
// engine.ErrNewerForm. It returns any other error unchanged.
func newerForm(err error) error {
	if errors.Is(err, incident.ErrNewerForm) {
		return engine.ErrNewerForm
	}
	return err
}

// loadIncident sets c.Incident to the incident that the command names, or else to the incident of
// the thread, or else to the only open incident. If this leaves the choice open, loadIncident
// returns all open incidents, possibly none.
func (s *Incidents) loadIncident(ctx context.Context, c *call.Call) (several []incidentcard.OpenIncident, err error) {
	list, err := s.openIncidents(ctx, c)
	if err != nil {
		return nil, err
	}
	id := c.Req.Incident
	meant := slices.Clone(list)
	if id != "" {
		meant = slices.DeleteFunc(meant, func(o incidentcard.OpenIncident) bool { return o.ID != id })
		if len(meant) == 0 {
			return nil, refusal.New(call.NotFound, "There is no open incident %s. `incidents` lists the open ones. Nothing was changed.", words.Shown(id))
		}
	}
	if id == "" && c.Thread != "" {
		here := slices.IndexFunc(list, func(o incidentcard.OpenIncident) bool { return o.Channel == c.Channel && o.TS == c.Thread })
		if here >= 0 {
			meant = list[here : here+1]
		}
	}
	if len(meant) == 1 {
		c.Incident = &meant[0]
		cl, ok := s.Fleet.Cluster(meant[0].Cluster)
		if !ok {
			return nil, refusal.New(call.NotFound, "There is no open incident %s.", meant[0].ID)
		}
		return nil, s.SetCluster(c, cl)
	}
	return list, nil
}

// MayHandle checks access to the loaded incident. Readers of its cluster may view it;
// operators may change its owner and its notifications.
func (s *Incidents) MayHandle(ctx context.Context, c *call.Call) error {
	several, err := s.loadIncident(ctx, c)
	if err != nil {
		return err
	}
	c.Incidents = several
	if c.Incident == nil {
		return nil // nothing changes without an incident
	}
	class := c.Class()
	if err := s.Rules.MayAsk(c.Who.Person, c.Incident.Cluster, class, c.Channel); err != nil {
		return err
	}
	return auth.MayInSilence(c.Who.SilentSince, class, c.Origin, "")
}

// ListIncidents answers with the open incidents, or with one incident and the actions for
// it.
func (s *Incidents) ListIncidents(ctx context.Context, c *call.Call) error {
	if c.Req.Incident == "" && c.Thread == "" || c.Incident == nil {
		list := c.Incidents
		if c.Incident != nil {
			list = []incidentcard.OpenIncident{*c.Incident}
		}
		return s.Answer(ctx, c, incidentcard.Incidents(list, s.Now()))
	}
	return c.Reply.Ephemeral(ctx, incidentcard.HandleIncident(*c.Incident, s.owners(*c.Incident), s.Now()))
}

// owners returns the people who could own an incident, other than its current owner.
func (s *Incidents) owners(o incidentcard.OpenIncident) []string {
	var out []string
	for _, p := range s.Rules.People {
		isOwner := o.Handling.Owner != nil && o.Handling.Owner.Person == p.Name
		if !isOwner && s.Rules.MayAsk(p, o.Cluster, runbooks.Writes, "") == nil {
			out = append(out, p.Name)
		}
	}
	return out
}

// handlingChange changes the owner, the mute or the notes of an incident and returns the audit
// record. It returns an error if the change is refused.
type handlingChange func(h *incident.Handling) (audit.Record, error)

// handleIncident changes the incident of a call, stores it together with the audit record, and
// marks the call as handled. The leader then updates the incident's card and thread.
func (s *Incidents) handleIncident(ctx context.Context, c *call.Call, do handlingChange) error {
	if c.Incident == nil {
		return c.Reply.Ephemeral(ctx, incidentcard.WhichIncident(c.Req.Fields(), c.Incidents))
	}
	for range keepTries {
		o := c.Incident
		list, err := incident.Handlings(ctx, s.Keeper, o.Cluster)
		if err != nil {
			return newerForm(err)
		}
		o.Handling = incident.HandlingOf(list, o.Cluster, o.Incident)
		r, err := do(&o.Handling.Handling)
		var no *refusal.Error
		if errors.As(err, &no) {
			return refusal.New(no.Code, "%s Nothing was changed.", no.Text)
		}
		if err != nil {
			return err
		}
		data, err := incident.Encode(&o.Handling.Handling)
		if err != nil {
			return err
		}
		r.Account, r.Via, r.Severity = c.Account.String(), string(c.Via), o.Worst().String()
		_, err = s.Keeper.SetWatchState(ctx, o.Handling.Name(), data, o.Handling.Rev, []audit.Record{r}, c.Key)
		if errors.Is(err, engine.ErrConflict) {
			continue
		}
		if err != nil {
			return err
		}
		c.Settled = true
		return c.Reply.Ephemeral(ctx, incidentcard.Handled(*o))
	}
	return refusal.New(call.Changed, "This incident was changed by another person or by the bot at the same time, so your command changed nothing. Please try again.")
}

func (s *Incidents) OwnIncident(ctx context.Context, c *call.Call) error {
	return s.handleIncident(ctx, c, func(h *incident.Handling) (audit.Record, error) {
		return h.Take(incident.Owner{Person: c.Who.Name, Account: c.Account, Since: s.Now()}, redact.Line(c.Rest, call.ReasonRunes))
	})
}

func (s *Incidents) HandOver(ctx context.Context, c *call.Call) error {
	if c.Incident == nil {
		return s.handleIncident(ctx, c, nil)
	}
	typed, rest, _ := strings.Cut(strings.TrimPrefix(c.Rest, "to "), " ")
	name := strings.TrimPrefix(words.Plain(strings.TrimPrefix(typed, "@")), "@")
	names := s.owners(*c.Incident)
	if owner := c.Incident.Handling.Owner; owner != nil {
		names = append(names, owner.Person) // refused by h.HandOver
	}
	if !slices.Contains(names, name) {
		return refusal.New(call.BadArgument, "Hand %s over to whom? Operators of %s: %s. For example `handover %s %s`. Nothing was changed.",
			c.Incident.ID, c.Incident.Cluster, strings.Join(names, ", "), c.Incident.ID, firstOf(names))
	}
	var to auth.Person
	for _, p := range s.Rules.People {
		if p.Name == name {
			to = p
		}
	}
	if why := s.Gone(ctx, to); why != "" {
		return refusal.New(incident.CannotOwn, "%s cannot own %s: %s. Nothing was changed.", name, c.Incident.ID, why)
	}
	account := call.Callees([]auth.Person{to})[0].Account
	return s.handleIncident(ctx, c, func(h *incident.Handling) (audit.Record, error) {
		return h.HandOver(c.Who.Name, incident.Owner{Person: name, Account: account, Since: s.Now()}, redact.Line(rest, call.ReasonRunes))
	})
}

func firstOf(names []string) string {
	if len(names) == 0 {
		return "PERSON"
	}
	return names[0]
}

func (s *Incidents) ReleaseIncident(ctx context.Context, c *call.Call) error {
	return s.handleIncident(ctx, c, func(h *incident.Handling) (audit.Record, error) {
		return h.Release(c.Who.Name, s.Now(), redact.Line(c.Rest, call.ReasonRunes))
	})
}

func (s *Incidents) MuteIncident(ctx context.Context, c *call.Call) error {
	typed := words.Plain(strings.TrimPrefix(c.Rest, "for "))
	length, ok := incident.DefaultMute, true
	if typed != "" && typed != command.LengthEnd {
		length, ok = call.ReadLength(typed)
	}
	if !ok {
		return refusal.New(
			call.BadArgument,
			"%s is not a length of time from 1m to 1h. Type for example `mute prod-7 30m`, or `mute prod-7 end`. Nothing was changed.",
			words.Shown(typed),
		)
	}
	return s.handleIncident(ctx, c, func(h *incident.Handling) (audit.Record, error) {
		if typed == command.LengthEnd {
			return h.Unmute(c.Who.Name, s.Now(), "")
		}
		return h.MuteUntil(c.Who.Name, s.Now(), s.Now().Add(length), c.Incident.Worst())
	})
}

// NoteIncident stores a note. If a button was tapped without a text, NoteIncident opens a form that
// asks for the text.
func (s *Incidents) NoteIncident(ctx context.Context, c *call.Call) error {
	text := redact.Line(c.Rest, call.ReasonRunes)
	if text == "" && c.Incident != nil && c.Via == call.Button {
		return c.Reply.Ask(ctx, incidentcard.WhatToNote(c.Incident.ID))
	}
	return s.handleIncident(ctx, c, func(h *incident.Handling) (audit.Record, error) { return h.Note(c.Who.Name, s.Now(), text) })
}

// MayOwn checks whether the owner of an incident may still own it. It returns nil if so, and
// otherwise a *refusal.Error with the reason.
func (s *Incidents) MayOwn(ctx context.Context, cluster string, o incident.Owner) error {
	p, err := s.Identify(ctx, o.Account, call.StillAllowed)
	if err != nil {
		return err
	}
	return s.Rules.MayAsk(p.Person, cluster, runbooks.Writes, "")
}
