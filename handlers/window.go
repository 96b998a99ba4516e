package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/internal/card/incidentcard"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/redact"
	"dhbot/runbooks"
)

// mostAhead is how far ahead a window may begin.
const mostAhead = 90 * 24 * time.Hour

// askWindow asks for a window. One over a process whose outage is Sev 1 waits for
// the approval of somebody else, and has to have it before it begins.
func (s *Incidents) askWindow(ctx context.Context, c *call) error {
	from, until, err := s.windowTimes(c)
	if err != nil {
		return err
	}
	var hosts []string
	for _, h := range c.req.Hosts {
		hosts = append(hosts, h.Name)
	}
	m := fleet.Maintenance{
		Cluster: c.cluster.Name, Host: fleet.JoinHosts(hosts), From: from, Until: until, By: c.who.Name,
		Reason: redact.Line(c.rest, reasonRunes), Origin: c.Origin,
	}
	list, err := s.Windows.Maintenance(ctx)
	if err != nil {
		return err
	}
	for _, old := range list {
		if !old.IsWindow() || old.Cluster != m.Cluster || old.Host != m.Host {
			continue
		}
		if !old.Over(s.Now()) {
			return said("There is a window over %s in %s already, %s by %s: `%s` first. Nothing was changed.",
				m.Target(), m.Cluster, old.ID(), old.By, incidentcard.WindowText(windowCancel, old))
		}
		m.Rev = old.Rev
	}
	called := []engine.Callee(nil)
	if m.Waits = s.overCritical(c, m); m.Waits {
		if err := s.approvable(ctx, m.Cluster, m.By, 1); err != nil {
			return err
		}
		called = callees(s.Rules.Call(m.Cluster, m.By, auth.FirstRound))
	}
	if (c.req.Unmarked || c.req.Confirm) && !c.confirmed() {
		return s.proposeBare(ctx, c)
	}
	outcome := "announced"
	if m.Waits {
		outcome = "asked for"
	}
	if err := s.setWindow(ctx, c, m, outcome); err != nil {
		return err
	}
	return s.answer(ctx, c, incidentcard.Window(m, called))
}

// windowTimes reads when a window is to begin and to end.
func (s *Incidents) windowTimes(c *call) (from, until time.Time, err error) {
	wrong := func(why string) error {
		return said("%s: for example `%s`. Nothing was changed.", why, c.cmd.Example)
	}
	typed := c.params[command.ParamUntil]
	from, ok := readInstant(c.params[command.ParamFrom])
	if !ok {
		return from, until, wrong("from= takes a day and time with its zone")
	}
	if length, is := readLength(typed); is {
		until = from.Add(length)
	} else if until, ok = readInstant(typed); !ok {
		return from, until, wrong("until= takes a day and time with its zone, or a length")
	}
	switch length := until.Sub(from); {
	case !from.After(s.Now()):
		return from, until, wrong("A window has to begin in the future; `maintenance` announces what begins now")
	case from.Sub(s.Now()) > mostAhead:
		return from, until, wrong("A window begins within 90 days")
	case length < leastMaintenance || length > mostMaintenance:
		return from, until, wrong("A window lasts from 5m to 7d")
	}
	return from, until, nil
}

// readInstant reads a day and time with a zone; one without a zone could be meant
// in any.
func readInstant(text string) (time.Time, bool) {
	for _, form := range []string{"2006-01-02T15:04Z07:00", time.RFC3339} {
		if t, err := time.Parse(form, strings.ToUpper(text)); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// overCritical says that a window is over a process whose outage is Sev 1, or over
// one that the catalog does not know.
func (s *Incidents) overCritical(c *call, m fleet.Maintenance) bool {
	for _, h := range c.cluster.Hosts {
		if m.Host != "" && !slices.Contains(m.Hosts(), h.Name) {
			continue
		}
		for _, id := range h.Processes {
			if p, ok := c.catalog.Process(id); !ok || !p.Level.Minor() {
				return true
			}
		}
	}
	return false
}

// mayDecide loads the window that a decision is about and says who may take it:
// what an approver other than the requester approves, they or any operator cancel.
func (s *Incidents) mayDecide(ctx context.Context, c *call) error {
	list, err := s.announced(ctx)
	if err != nil {
		return err
	}
	id, sees := strings.ToUpper(c.params[command.ParamID]), s.sees(c.who.Person, c.Channel)
	at := slices.IndexFunc(list, func(m fleet.Maintenance) bool { return m.IsWindow() && m.ID() == id && sees(m.Cluster) })
	if at < 0 {
		return said("There is no maintenance window %s to come or under way: `maintenance` lists them. Nothing was changed.", command.Shown(c.params[command.ParamID]))
	}
	c.window = list[at]
	cl, ok := s.Fleet.Cluster(c.window.Cluster)
	if !ok {
		return fmt.Errorf("a window is over the cluster %q, which the config does not have", c.window.Cluster)
	}
	if err := s.setCluster(c, cl); err != nil {
		return err
	}
	vote := s.Rules.MayVote(c.who.Person, c.window.By, cl.Name, runbooks.Disruptive)
	if c.cmd.Verb == windowApprove {
		if vote != nil {
			return vote
		}
		return auth.MayInSilence(c.who.silentSince, runbooks.Disruptive, c.Origin, c.window.Origin)
	}
	if err := s.Rules.MayAsk(c.who.Person, cl.Name, runbooks.Writes, c.Channel); err != nil && vote != nil {
		return err
	}
	return auth.MayInSilence(c.who.silentSince, runbooks.Writes, c.Origin, "")
}

// approveWindow lets a window begin when its time comes.
func (s *Incidents) approveWindow(ctx context.Context, c *call) error {
	m := c.window
	if !m.Waits {
		return said("%s takes no approval any more. Nothing was changed.", m.ID())
	}
	if err := s.Rules.MayAsk(auth.Person{Name: m.By}, m.Cluster, runbooks.Writes, ""); err != nil {
		return fmt.Errorf("%s who asked: %w", m.By, err)
	}
	m.Waits, m.Approver = false, c.who.Name
	if err := s.setWindow(ctx, c, m, "approved"); err != nil {
		return err
	}
	return s.answer(ctx, c, incidentcard.Window(m, nil))
}

// cancelWindow ends a window for good, whether it waits, is to come or is under way.
func (s *Incidents) cancelWindow(ctx context.Context, c *call) error {
	m := c.window
	record := s.announcement(c, m, "cancelled "+m.ID())
	record.Text = redact.Line(c.rest, reasonRunes)
	if err := s.Windows.EndMaintenance(ctx, m, record, c.Key); err != nil {
		return changedMeanwhile(err)
	}
	c.settled = true
	return s.answer(ctx, c, incidentcard.WindowCancelled(m, c.who.Name, record.Text))
}

func (s *Incidents) setWindow(ctx context.Context, c *call, m fleet.Maintenance, outcome string) error {
	const form = "2006-01-02 15:04"
	from, until := m.From.UTC().Format(form), m.Until.UTC().Format(form)
	record := s.announcement(c, m, fmt.Sprintf("%s %s, %s to %s UTC", outcome, m.ID(), from, until))
	if err := s.Windows.SetMaintenance(ctx, m, record, c.Key); err != nil {
		return changedMeanwhile(err)
	}
	c.settled = true
	return nil
}

func changedMeanwhile(err error) error {
	if errors.Is(err, engine.ErrConflict) {
		return said("Somebody else changed this window at the same time: `maintenance` shows how it is now. Nothing was changed.")
	}
	return err
}
