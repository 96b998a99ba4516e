package incidents

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card/incidentcard"
	"dhbot/internal/command"
	"dhbot/internal/fleet"
	"dhbot/internal/redact"
	"dhbot/internal/refusal"
	"dhbot/runbooks"
)

// Limits of an announcement. Less than a few minutes is too short to be useful, and work
// of more than a week belongs in the config's schedule.
const (
	leastMaintenance = 5 * time.Minute
	mostMaintenance  = 7 * 24 * time.Hour
)

// announced returns the current announcements.
func (s *Incidents) announced(ctx context.Context) ([]fleet.Maintenance, error) {
	all, err := s.Windows.Maintenance(ctx)
	return s.notOver(all), err
}

func (s *Incidents) notOver(all []fleet.Maintenance) []fleet.Maintenance {
	return slices.DeleteFunc(all, func(m fleet.Maintenance) bool { return m.Over(s.Now()) })
}

// ListMaintenance answers with the maintenance announcements that the requester may read.
func (s *Incidents) ListMaintenance(ctx context.Context, c *call.Call) error {
	list, err := s.announced(ctx)
	if err != nil {
		return err
	}
	sees := s.Sees(c.Who.Person, c.Channel)
	list = slices.DeleteFunc(list, func(m fleet.Maintenance) bool { return !sees(m.Cluster) })
	return s.Answer(ctx, c, incidentcard.Maintenance(list, s.Now()))
}

// SetMaintenance announces maintenance of a process, or ends it. It sends nothing to a
// host: it only changes which states count as incidents.
func (s *Incidents) SetMaintenance(ctx context.Context, c *call.Call) error {
	m := fleet.Maintenance{Cluster: c.Cluster.Name, Process: c.Process.ID, Host: call.HostName(c.Host), By: c.Who.Name, From: s.Now()}
	if len(c.Req.Also) > 0 || len(c.Req.Hosts) > 1 {
		return refusal.New(call.BadArgument, "Announce one process at a time, on one of its hosts or on all of them. Nothing was announced.")
	}
	typed := c.Params[command.ParamLength]
	if typed == command.LengthEnd {
		return s.endMaintenance(ctx, c, m, c.Rest)
	}
	length, ok := call.ReadLength(typed)
	if !ok || length < leastMaintenance || length > mostMaintenance {
		return refusal.New(call.BadArgument, "Maintenance lasts from 5m to 7d: `%s %s 2h because REASON`. `%s %s end` ends it. Nothing was announced.", c.Cmd.Verb, c.Process.ID, c.Cmd.Verb, c.Process.ID)
	}
	if c.Req.Unmarked && !c.Confirmed() {
		return s.ProposeBare(ctx, c)
	}
	m.Until, m.Reason = m.From.Add(length), redact.Line(c.Rest, call.ReasonRunes)
	note, err := s.boundMaintenance(ctx, c, &m)
	if err != nil {
		return err
	}
	record := s.announcement(c, m, "until "+m.Until.UTC().Format("2006-01-02 15:04 UTC"))
	if err := s.Windows.SetMaintenance(ctx, m, record, c.Key); err != nil {
		return err
	}
	c.Settled = true
	return s.Answer(ctx, c, incidentcard.Announced(m, note))
}

// mostAlone is the longest maintenance that one person can announce without an approver, if an
// outage of the process is Sev 1. During maintenance no incident of the process is opened.
const mostAlone = 4 * time.Hour

// boundMaintenance shortens announced maintenance of a Sev 1 process, so that it ends at most
// mostAlone after the first announcement. The result note tells the requester what was changed.
// There is no limit if an approver announces maintenance that another person has already announced,
// because the second announcement is the approval. The first person gets no extra time by
// announcing again, or by ending the maintenance and announcing again within mostAlone.
func (s *Incidents) boundMaintenance(ctx context.Context, c *call.Call, m *fleet.Maintenance) (note string, err error) {
	if c.Process.Level != runbooks.Critical {
		return "", nil
	}
	list, err := s.Windows.Maintenance(ctx)
	if err != nil {
		return "", err
	}
	began := m.From
	for _, old := range list {
		if over := old.Over(s.Now()); over && (old.By != m.By || old.Over(s.Now().Add(-mostAlone))) {
			continue
		}
		overlaps := old.Host == m.Host || old.Host == "" || m.Host == ""
		if old.Cluster != m.Cluster || old.Process != m.Process || !overlaps {
			continue
		}
		eligible := old.Host == m.Host && slices.ContainsFunc(s.Rules.Eligible(m.Cluster, old.By), func(p auth.Person) bool {
			return p.Name == m.By
		})
		if old.By != m.By && eligible { // the second announcement is the approval
			return "Approved by " + m.By + "; announced by " + old.By + ".", nil
		}
		if old.From.Before(began) {
			began = old.From
		}
	}
	most := began.Add(mostAlone)
	if !m.Until.After(most) {
		m.From = began
		return "", nil
	}
	if most.Sub(s.Now()) < leastMaintenance {
		return "", refusal.New(call.NeedsApprover, "Maintenance of a Sev 1 process ends after 4 h unless an approver other than you announces it for longer: `%s %s 2h because REASON`. Nothing was changed.", c.Cmd.Verb, c.Process.ID)
	}
	m.From, m.Until = began, most
	return fmt.Sprintf("Shortened to 4 h in total. Only an approver other than you can announce longer maintenance of a Sev 1 process: `%s %s …`.", c.Cmd.Verb, c.Process.ID), nil
}

func (s *Incidents) endMaintenance(ctx context.Context, c *call.Call, m fleet.Maintenance, reason string) error {
	list, err := s.announced(ctx)
	if err != nil {
		return err
	}
	var others []string
	for _, old := range list {
		switch {
		case old.IsWindow() && c.InWindow(old, s.Now()):
			others = append(others, fmt.Sprintf("the window for %s (`%s`)", old.Target(), incidentcard.WindowText(WindowCancel, old)))
		case old.Cluster != m.Cluster || old.Process != m.Process:
		case old.Host != m.Host:
			others = append(others, old.Target())
		default:
			m.Reason = redact.Line(reason, call.ReasonRunes)
			record := s.announcement(c, m, "ended")
			err := error(nil)
			if c.Process.Level == runbooks.Critical { // boundMaintenance needs the ended announcement
				old.Until = s.Now()
				err = s.Windows.SetMaintenance(ctx, old, record, c.Key)
			} else {
				err = s.Windows.EndMaintenance(ctx, m, record, c.Key)
			}
			if err != nil {
				return err
			}
			c.Settled = true
			return s.Answer(ctx, c, incidentcard.MaintenanceEnded(m))
		}
	}
	text := fmt.Sprintf("%s is not in maintenance in %s.", m.Target(), m.Cluster)
	if len(others) > 0 {
		text += " In maintenance: " + strings.Join(others, ", ") + ". To end one of these, type its target exactly as it is listed here, or the command beside it."
	}
	return refusal.New(call.NotFound, "%s", text)
}

func (s *Incidents) announcement(c *call.Call, m fleet.Maintenance, outcome string) audit.Record {
	return audit.Record{
		At: s.Now(), Kind: audit.Announced, Person: c.Who.Name, Account: c.Account.String(), Via: string(c.Via),
		Cluster: m.Cluster, Action: c.Cmd.Verb, Target: m.Target(), Outcome: outcome, Text: m.Reason,
	}
}

// Verbs of maintenance windows. A window is requested in advance for hosts or a cluster. It
// begins and ends at its stored times. Its only effect is that fewer states count as incidents. Runs
// during a window need their own approvals.
const (
	WindowVerb    = "maintenance-window"
	WindowApprove = "maintenance-approve"
	WindowCancel  = "maintenance-cancel"
)
