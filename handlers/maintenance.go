package handlers

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/redact"
)

// Windows keeps what people announced to work on. Each change is stored
// together with its record and the settlement of the claim, in one
// transaction; any error that wraps engine.ErrStoreDown may have had its
// effect or not.
type Windows interface {
	// Maintenance returns what was announced and not ended, over or not, by
	// cluster and target.
	Maintenance(ctx context.Context) ([]fleet.Maintenance, error)
	// InHand returns the same together with every run that has not ended,
	// oldest first, as of one moment.
	InHand(ctx context.Context) ([]engine.Stored, []fleet.Maintenance, error)
	// SetMaintenance stores an announcement in place of one for the same
	// cluster, process and host.
	SetMaintenance(ctx context.Context, m fleet.Maintenance, r audit.Record, claim string) error
	// EndMaintenance removes the announcement for this cluster, process and
	// host; one that is not there is no error.
	EndMaintenance(ctx context.Context, m fleet.Maintenance, r audit.Record, claim string) error
}

// How long an announcement may last: nobody announces less than a few minutes,
// and what lasts longer than a week belongs into the config's schedule.
const (
	leastMaintenance = 5 * time.Minute
	mostMaintenance  = 7 * 24 * time.Hour
)

// announced is what is announced and not over.
func (s *Service) announced(ctx context.Context) ([]fleet.Maintenance, error) {
	all, err := s.Windows.Maintenance(ctx)
	return s.notOver(all), err
}

func (s *Service) notOver(all []fleet.Maintenance) []fleet.Maintenance {
	return slices.DeleteFunc(all, func(m fleet.Maintenance) bool { return m.Over(s.Now()) })
}

// listMaintenance answers what is announced, everywhere.
func (s *Service) listMaintenance(ctx context.Context, c *call) error {
	list, err := s.announced(ctx)
	if err != nil {
		return err
	}
	return s.answer(ctx, c, card.Maintenance(list, s.Now()))
}

// maintenance announces work on a process, or its end. It sends nothing to any
// host: it changes what the bot expects, and so what counts as an incident.
func (s *Service) maintenance(ctx context.Context, c *call) error {
	m := fleet.Maintenance{Cluster: c.cluster.Name, Process: c.process.ID, Host: hostName(c.host), By: c.who.Name, From: s.Now()}
	first, rest, _ := strings.Cut(c.rest, " ")
	switch word(first) {
	case "end", "off", "over", "done":
		return s.endMaintenance(ctx, c, m, rest)
	}
	length, ok := readLength(word(first))
	if !ok || length < leastMaintenance || length > mostMaintenance {
		return said("Say for how long, from 5m to 7d: `%s %s 2h REASON`; or `%s %s end`. Nothing was announced.", c.cmd.Verb, c.process.ID, c.cmd.Verb, c.process.ID)
	}
	m.Until, m.Reason = m.From.Add(length), redact.Line(rest, reasonRunes)
	record := s.announcement(c, m, "until "+m.Until.UTC().Format("2006-01-02 15:04 UTC"))
	if err := s.Windows.SetMaintenance(ctx, m, record, c.Key); err != nil {
		return err
	}
	c.settled = true
	return s.answer(ctx, c, card.Announced(m))
}

func (s *Service) endMaintenance(ctx context.Context, c *call, m fleet.Maintenance, reason string) error {
	list, err := s.announced(ctx)
	if err != nil {
		return err
	}
	var others []string
	for _, old := range list {
		switch {
		case old.Cluster != m.Cluster || old.Process != m.Process:
		case old.Host != m.Host:
			others = append(others, old.Target())
		default:
			m.Reason = redact.Line(reason, reasonRunes)
			if err := s.Windows.EndMaintenance(ctx, m, s.announcement(c, m, "ended"), c.Key); err != nil {
				return err
			}
			c.settled = true
			return s.answer(ctx, c, card.MaintenanceEnded(m))
		}
	}
	text := fmt.Sprintf("%s is not in maintenance in %s.", m.Target(), m.Cluster)
	if len(others) > 0 {
		text += " What is: " + strings.Join(others, ", ") + "; end it as it was announced."
	}
	return said("%s", text)
}

func (s *Service) announcement(c *call, m fleet.Maintenance, outcome string) audit.Record {
	return audit.Record{
		At: s.Now(), Kind: audit.Announced, Person: c.who.Name, Account: c.Account.String(), Via: string(c.Via),
		Cluster: m.Cluster, Action: c.cmd.Verb, Target: m.Target(), Outcome: outcome, Text: m.Reason,
	}
}

var days = regexp.MustCompile(`^([1-9][0-9]?)d$`)

// readLength reads how long something lasts: 90m, 2h, 1h30m, 2d.
func readLength(s string) (time.Duration, bool) {
	if m := days.FindStringSubmatch(s); m != nil {
		n, err := strconv.Atoi(m[1])
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}
