package incidents

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/card/incidentcard"
	"dhbot/internal/command"
	"dhbot/internal/command/words"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/redact"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// mostAhead is how far in the future a window may begin.
const mostAhead = 90 * 24 * time.Hour

// AskWindow requests a window. A window for a process whose outage is Sev 1 needs the
// approval of another person before it begins.
func (s *Incidents) AskWindow(ctx context.Context, c *call.Call) error {
	from, until, err := s.windowTimes(c)
	if err != nil {
		return err
	}
	var hosts []string
	for _, h := range c.Req.Hosts {
		hosts = append(hosts, h.Name)
	}
	m := fleet.Maintenance{
		Cluster: c.Cluster.Name, Host: fleet.JoinHosts(hosts), From: from, Until: until, By: c.Who.Name,
		Reason: redact.Line(c.Rest, call.ReasonRunes), Origin: c.Origin,
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
			return refusal.New(call.AlreadyThere, "%s in %s already has a window, %s by %s. End it first: `%s`. Nothing was changed.",
				m.Target(), m.Cluster, old.ID(), old.By, incidentcard.WindowText(WindowCancel, old))
		}
		m.Rev = old.Rev
	}
	called := []engine.Callee(nil)
	if m.Waits = s.overCritical(c, m); m.Waits {
		if err := s.Approvable(ctx, m.Cluster, m.By, 1); err != nil {
			return err
		}
		called = call.Callees(s.Rules.Call(m.Cluster, m.By, auth.FirstRound))
	}
	if (c.Req.Unmarked || c.Req.Confirm) && !c.Confirmed() {
		return s.ProposeBare(ctx, c)
	}
	outcome := "announced"
	if m.Waits {
		outcome = "asked for"
	}
	if err := s.setWindow(ctx, c, m, outcome); err != nil {
		return err
	}
	return s.Answer(ctx, c, incidentcard.Window(m, called))
}

// windowTimes returns the start and the end of a window.
func (s *Incidents) windowTimes(c *call.Call) (from, until time.Time, err error) {
	wrong := func(why string) error {
		return refusal.New(call.BadArgument, "%s: for example `%s`. Nothing was changed.", why, c.Cmd.Example)
	}
	typed := c.Params[command.ParamUntil]
	from, ok := readInstant(c.Params[command.ParamFrom])
	if !ok {
		return from, until, wrong("from= needs a date and time with a zone")
	}
	if length, is := call.ReadLength(typed); is {
		until = from.Add(length)
	} else if until, ok = readInstant(typed); !ok {
		return from, until, wrong("until= needs a date and time with a zone, or a duration")
	}
	switch length := until.Sub(from); {
	case !from.After(s.Now()):
		return from, until, wrong("A window has to begin in the future; `maintenance` announces maintenance that begins now")
	case from.Sub(s.Now()) > mostAhead:
		return from, until, wrong("A window has to begin within 90 days")
	case length < leastMaintenance || length > mostMaintenance:
		return from, until, wrong("A window lasts from 5m to 7d")
	}
	return from, until, nil
}

// readInstant parses a day and time with a zone. A time without a zone is refused as ambiguous.
func readInstant(text string) (time.Time, bool) {
	for _, form := range []string{"2006-01-02T15:04Z07:00", time.RFC3339} {
		if t, err := time.Parse(form, strings.ToUpper(text)); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// overCritical reports whether a window covers a process whose outage is Sev 1, or an
// unknown process.
func (s *Incidents) overCritical(c *call.Call, m fleet.Maintenance) bool {
	for _, h := range c.Cluster.Hosts {
		if m.Host != "" && !slices.Contains(m.Hosts(), h.Name) {
			continue
		}
		for _, id := range h.Processes {
			if p, ok := c.Catalog.Process(id); !ok || !p.Level.Minor() {
				return true
			}
		}
	}
	return false
}

// MayDecide loads the window that a command approves or cancels, and checks access. An approver
// other than the requester may approve the window; any operator, and any approver other than the
// requester, may cancel it.
func (s *Incidents) MayDecide(ctx context.Context, c *call.Call) error {
	list, err := s.announced(ctx)
	if err != nil {
		return err
	}
	id, sees := strings.ToUpper(c.Params[command.ParamID]), s.Sees(c.Who.Person, c.Channel)
	at := slices.IndexFunc(list, func(m fleet.Maintenance) bool { return m.IsWindow() && m.ID() == id && sees(m.Cluster) })
	if at < 0 {
		return refusal.New(call.NotFound, "There is no planned or active maintenance window %s. `maintenance` lists the windows. Nothing was changed.", words.Shown(c.Params[command.ParamID]))
	}
	c.Window = list[at]
	cl, ok := s.Fleet.Cluster(c.Window.Cluster)
	if !ok {
		return fmt.Errorf("a window is for the cluster %q, which the config does not have", c.Window.Cluster)
	}
	if err := s.SetCluster(c, cl); err != nil {
		return err
	}
	vote := s.Rules.MayVote(c.Who.Person, c.Window.By, cl.Name, runbooks.Disruptive)
	if c.Cmd.Verb == WindowApprove {
		if vote != nil {
			return vote
		}
		return auth.MayInSilence(c.Who.SilentSince, runbooks.Disruptive, c.Origin, c.Window.Origin)
	}
	if err := s.Rules.MayAsk(c.Who.Person, cl.Name, runbooks.Writes, c.Channel); err != nil && vote != nil {
		return err
	}
	return auth.MayInSilence(c.Who.SilentSince, runbooks.Writes, c.Origin, "")
}

// ApproveWindow approves a window, which begins at its stored time.
func (s *Incidents) ApproveWindow(ctx context.Context, c *call.Call) error {
	m := c.Window
	if !m.Waits {
		return refusal.New(call.NotNow, "%s is not waiting for an approval. Nothing was changed.", m.ID())
	}
	if err := s.Rules.MayAsk(auth.Person{Name: m.By}, m.Cluster, runbooks.Writes, ""); err != nil {
		return fmt.Errorf("the requester %s: %w", m.By, err)
	}
	m.Waits, m.Approver = false, c.Who.Name
	if err := s.setWindow(ctx, c, m, "approved"); err != nil {
		return err
	}
	return s.Answer(ctx, c, incidentcard.Window(m, nil))
}

// CancelWindow cancels a window that is waiting, approved or active.
func (s *Incidents) CancelWindow(ctx context.Context, c *call.Call) error {
	m := c.Window
	record := s.announcement(c, m, "cancelled "+m.ID())
	record.Text = redact.Line(c.Rest, call.ReasonRunes)
	if err := s.Windows.EndMaintenance(ctx, m, record, c.Key); err != nil {
		return changedMeanwhile(err)
	}
	c.Settled = true
	return s.Answer(ctx, c, incidentcard.WindowCancelled(m, c.Who.Name, record.Text))
}

func (s *Incidents) setWindow(ctx context.Context, c *call.Call, m fleet.Maintenance, outcome string) error {
	const form = "2006-01-02 15:04"
	from, until := m.From.UTC().Format(form), m.Until.UTC().Format(form)
	record := s.announcement(c, m, fmt.Sprintf("%s %s, %s to %s UTC", outcome, m.ID(), from, until))
	if err := s.Windows.SetMaintenance(ctx, m, record, c.Key); err != nil {
		return changedMeanwhile(err)
	}
	c.Settled = true
	return nil
}

func changedMeanwhile(err error) error {
	if errors.Is(err, engine.ErrConflict) {
		return refusal.New(call.Changed, "Another person changed this window at the same time: `maintenance` shows it. Nothing was changed.")
	}
	return err
}
