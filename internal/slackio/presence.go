package slackio

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"dhbot/internal/presence"
	"dhbot/internal/slackio/manifest"
	"dhbot/internal/slackio/wire"
)

// Absences asks Slack which of the users are away or in Do Not Disturb. Without the scope dnd:read
// it returns only who is away.
func (e *Edge) Absences(ctx context.Context, users []string) (map[string]presence.Absence, error) {
	out := map[string]presence.Absence{}
	var errs []error
	for _, user := range users {
		p, err := e.ask.GetUserPresenceContext(ctx, user)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out[user] = presence.Absence{Away: p.Presence == "away"}
	}
	if has, known := e.watch.Scopes(wire.BotToken); known && !slices.Contains(has, manifest.ScopeDND) {
		return out, errors.Join(errs...)
	}
	found, err := e.ask.GetDNDTeamInfoContext(ctx, users)
	for user, d := range found {
		a, known := out[user]
		if until := dndUntil(d, e.now()); known && !until.IsZero() {
			a.DND = until
			out[user] = a
		}
	}
	return out, explain("asking who is away", errors.Join(append(errs, err)...))
}

// dndUntil is the end of a current Do Not Disturb time, zero for none.
func dndUntil(d slack.DNDStatus, now time.Time) time.Time {
	from, until := time.Unix(int64(d.NextStartTimestamp), 0), time.Unix(int64(d.NextEndTimestamp), 0)
	if !d.Enabled || now.Before(from) || !now.Before(until) {
		return time.Time{}
	}
	return until
}
