package faulttest

import (
	"context"
	"strings"

	"dhbot/handlers/call"
	"dhbot/internal/app"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/publish"
	"dhbot/internal/remote"
	"dhbot/internal/slackio"
)

// wrap adds a gate to every edge of the bot, so that a round can inject a fault there.
func wrap(e app.Edges, g *gate) app.Edges {
	slack := e.Slack
	e.Store, e.Remote = &store{e.Store, g}, &hosts{e.Remote, g}
	e.Slack = func(claims slackio.Claims, handler app.Handler) (app.Slack, error) {
		s, err := slack(claims, func(ctx context.Context, m call.Message, r call.Reply) bool {
			// The bot has acknowledged the event to Slack by now.
			settled, _ := around(g, "handle", func() (bool, error) { return handler(ctx, m, &reply{r, g}), nil })
			return settled
		})
		return &board{s, g}, err
	}
	return e
}

type none = struct{}

func only(err error) (none, error) { return none{}, err }

type store struct {
	app.Store
	*gate
}

func (s *store) Claim(ctx context.Context, key string, payload []byte) (bool, error) {
	return around(s.gate, "claim", func() (bool, error) { return s.Store.Claim(ctx, key, payload) })
}

func (s *store) Settle(ctx context.Context, key string) error {
	_, err := around(s.gate, "settle", func() (none, error) { return only(s.Store.Settle(ctx, key)) })
	return err
}

func (s *store) Commit(ctx context.Context, c engine.Change) (int64, error) {
	return around(s.gate, "commit "+tells(c.Records), func() (int64, error) { return s.Store.Commit(ctx, c) })
}

// tells names a change after its records, for example "step ended+ended".
func tells(records []audit.Record) string {
	var kinds []string
	for _, r := range records {
		kinds = append(kinds, string(r.Kind))
	}
	return strings.Join(kinds, "+")
}

func (s *store) Append(ctx context.Context, r audit.Record, claim string) error {
	_, err := around(s.gate, "append", func() (none, error) { return only(s.Store.Append(ctx, r, claim)) })
	return err
}

func (s *store) SetPost(ctx context.Context, run string, p publish.Post) error {
	_, err := around(s.gate, "note post", func() (none, error) { return only(s.Store.SetPost(ctx, run, p)) })
	return err
}

func (s *store) SetThread(ctx context.Context, run string, t publish.Thread) error {
	_, err := around(s.gate, "note thread", func() (none, error) { return only(s.Store.SetThread(ctx, run, t)) })
	return err
}

func (s *store) SetTrailPosted(ctx context.Context, n uint64) error {
	_, err := around(s.gate, "note trail", func() (none, error) { return only(s.Store.SetTrailPosted(ctx, n)) })
	return err
}

type hosts struct {
	app.Remote
	*gate
}

func (h *hosts) Run(ctx context.Context, c remote.Command) remote.Result {
	what := "read"
	if c.Changes {
		what = "send"
	}
	r, _ := around(h.gate, what, func() (remote.Result, error) { return h.Remote.Run(ctx, c), nil })
	return r
}

type board struct {
	app.Slack
	*gate
}

func (b *board) Post(ctx context.Context, at engine.Place, c card.Card) (string, error) {
	return around(b.gate, "post", func() (string, error) { return b.Slack.Post(ctx, at, c) })
}

func (b *board) Edit(ctx context.Context, channel, ts string, c card.Card, final bool) error {
	_, err := around(b.gate, "edit", func() (none, error) { return only(b.Slack.Edit(ctx, channel, ts, c, final)) })
	return err
}

type reply struct {
	call.Reply
	*gate
}

func (r *reply) Show(ctx context.Context, c card.Card) error {
	_, err := around(r.gate, "show", func() (none, error) { return only(r.Reply.Show(ctx, c)) })
	return err
}

func (r *reply) Ephemeral(ctx context.Context, c card.Card) error {
	_, err := around(r.gate, "whisper", func() (none, error) { return only(r.Reply.Ephemeral(ctx, c)) })
	return err
}
