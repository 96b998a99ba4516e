package escalation

import (
	"context"

	"dhbot/internal/pager"
	"dhbot/runbooks"
)

// alert returns the alert about a subject, as it is sent to the pager.
func (e *Escalator) alert(ctx context.Context, s subject) pager.Alert {
	link := ""
	if s.place.Thread != "" {
		var err error
		if link, err = e.Messenger.Link(ctx, s.place.Channel, s.place.Thread); err != nil {
			e.Logger.WarnContext(ctx, "the link to the message is not known, so the alert has none", "about", s.id, "err", err)
		}
	}
	return pager.Alert{
		Key: s.cluster + "/" + s.key, Cluster: s.cluster, About: s.id, Summary: s.summary,
		Severity: pagerLevel(s.severity), Began: s.since, Link: link,
	}
}

// pagerLevel returns the name of a severity in PagerDuty's Events API v2.
func pagerLevel(s runbooks.Severity) string {
	switch s {
	case runbooks.Moderate:
		return "error"
	case runbooks.Low:
		return "warning"
	default:
		return "critical"
	}
}
