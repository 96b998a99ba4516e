package escalation

import (
	"cmp"
	"context"

	"dhbot/internal/pager"
	"dhbot/runbooks"
)

// alertOf returns the alert of a stage. The alert and its end are the same for a pager.
func alertOf(cluster string, st stored) pager.Alert {
	return pager.Alert{
		Key: cluster + "/" + st.Key, Cluster: cluster, About: st.ID, Summary: st.Summary,
		Severity: cmp.Or(st.Severity, critical), Began: st.Began,
	}
}

// link returns the URL of the subject's message, or "" if it has none.
func (e *Escalator) link(ctx context.Context, s subject) string {
	if s.place.Thread == "" {
		return ""
	}
	url, err := e.Messenger.Link(ctx, s.place.Channel, s.place.Thread)
	if err != nil {
		e.Logger.WarnContext(ctx, "the link to the message is not known, so the alert has none", "about", s.id, "err", err)
	}
	return url
}

// critical is the highest severity in PagerDuty's Events API v2.
const critical = "critical"

// pagerLevel returns the name of a severity in PagerDuty's Events API v2.
func pagerLevel(s runbooks.Severity) string {
	switch s {
	case runbooks.Moderate:
		return "error"
	case runbooks.Low:
		return "warning"
	default:
		return critical
	}
}
