package app

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
)

// channels is a Slack whose channels are shared with another organisation or not, or unknown.
type channels struct {
	Slack
	shared map[string]bool
	posted []string
}

func (c *channels) Channel(_ context.Context, id string, _ time.Duration) (shared, member bool, err error) {
	shared, known := c.shared[id]
	if !known {
		return true, false, errors.New("Slack does not answer")
	}
	return shared, true, nil
}

func (c *channels) Post(_ context.Context, at engine.Place, _ card.Card) (string, error) {
	c.posted = append(c.posted, at.Channel)
	return "1", nil
}

func (c *channels) Edit(_ context.Context, channel, _ string, _ card.Card, _ bool) error {
	c.posted = append(c.posted, channel)
	return nil
}

// Incidents are not posted where people of another organisation read them.
func TestUnshared(t *testing.T) {
	t.Parallel()
	for channel, posts := range map[string]bool{"COWN": true, "CSHARED": false, "CUNKNOWN": true} {
		slack := &channels{shared: map[string]bool{"COWN": false, "CSHARED": true}}
		u := unshared{slack}
		_, postErr := u.Post(t.Context(), engine.Place{Channel: channel}, card.Card{})
		editErr := u.Edit(t.Context(), channel, "1", card.Card{}, false)
		for _, err := range []error{postErr, editErr} {
			if refused := errors.Is(err, publish.ErrNoPlace); refused == posts {
				t.Errorf("%s: %v", channel, err)
			}
		}
		if posted := len(slack.posted) == 2; posted != posts {
			t.Errorf("%s: posted %q", channel, slack.posted)
		}
	}
}

// The monitor and the escalator post only through unshared.
func TestWhoPostsUnshared(t *testing.T) {
	t.Parallel()
	b := &bot{Config: Config{AuditChannel: "C0AUDIT"}, Edges: Edges{Store: struct{ Store }{}}, slack: &channels{}}
	b.Log = slog.New(slog.DiscardHandler)
	m, err := b.newMonitor()
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.newEscalator()
	if err != nil {
		t.Fatal(err)
	}
	for who, messenger := range map[string]any{"monitor": m.Messenger, "escalator": e.Messenger} {
		if _, ok := messenger.(unshared); !ok {
			t.Errorf("the %s posts through a %T", who, messenger)
		}
	}
}
