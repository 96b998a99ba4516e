package slackio

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"dhbot/auth"
)

// Identity is the bot's own account, as auth.test says at start.
type Identity struct {
	User, BotID string // U…, B…
	Team        string // T…
	Enterprise  string // E…, "" outside of Enterprise Grid
}

// Whoami asks Slack who the bot token belongs to.
func (e *Edge) Whoami(ctx context.Context) (Identity, error) {
	var id Identity
	err := limited(ctx, func(ctx context.Context) error {
		a, err := e.ask.AuthTestContext(ctx)
		if err == nil {
			id = Identity{User: a.UserID, BotID: a.BotID, Team: a.TeamID, Enterprise: a.EnterpriseID}
		}
		return err
	})
	if err != nil {
		return Identity{}, explain("auth.test with the bot token", err)
	}
	return id, nil
}

// memory remembers answers for a while.
type memory[V any] struct {
	now  func() time.Time
	mu   sync.Mutex
	seen map[string]remembered[V]
}

type remembered[V any] struct {
	value V
	at    time.Time
}

func newMemory[V any](now func() time.Time) *memory[V] {
	return &memory[V]{now: now, seen: make(map[string]remembered[V])}
}

// maxRemembered bounds a memory; when it is full it forgets everything, which
// costs one question per key.
const maxRemembered = 10_000

func (m *memory[V]) get(key string, maxAge time.Duration) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.seen[key]
	if !ok || maxAge <= 0 || m.now().Sub(r.at) > maxAge {
		var none V
		return none, false
	}
	return r.value, true
}

// put remembers v as of asked, the time before the question.
func (m *memory[V]) put(key string, v V, asked time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.seen) >= maxRemembered {
		clear(m.seen)
	}
	m.seen[key] = remembered[V]{v, asked}
}

// Lookup returns what Slack says about an account right now, or for reads
// said at most maxAge ago; a request for an action, a vote and the check
// before execution ask with 0. HomeTeam is the team that the account really
// belongs to, whatever the event said. An error means that nobody knows, and
// that is a refusal.
func (e *Edge) Lookup(ctx context.Context, a auth.Account, maxAge time.Duration) (auth.Profile, error) {
	if p, ok := e.profiles.get(a.String(), maxAge); ok {
		return p, nil
	}
	asked := e.now()
	var user *slack.User
	err := limited(ctx, func(ctx context.Context) (err error) {
		user, err = e.ask.GetUserInfoContext(ctx, a.User)
		return err
	})
	if err != nil {
		return auth.Profile{}, explain("asking Slack about "+a.String(), err)
	}
	if user.ID != a.User || user.TeamID == "" {
		return auth.Profile{}, fmt.Errorf("asking Slack about %s: the answer is about %q of team %q", a, user.ID, user.TeamID)
	}
	p := auth.Profile{
		Account:  a,
		Deleted:  user.Deleted,
		Bot:      user.IsBot || user.IsWorkflowBot || user.IsConnectorBot || user.ID == "USLACKBOT",
		Guest:    user.IsRestricted || user.IsUltraRestricted || user.IsInvitedUser,
		Stranger: user.IsStranger,
		HomeTeam: user.TeamID,
		Checked:  asked,
	}
	e.profiles.put(a.String(), p, asked)
	return p, nil
}

// room is what matters about a channel.
type room struct{ shared, member bool }

// Channel says whether people of other organisations are, or may come, into a
// channel, and whether the bot is a member; what was known at most maxAge ago
// is good enough. A direct message is never shared.
func (e *Edge) Channel(ctx context.Context, id string, maxAge time.Duration) (shared, member bool, err error) {
	if strings.HasPrefix(id, "D") {
		return false, true, nil
	}
	if r, ok := e.rooms.get(id, maxAge); ok {
		return r.shared, r.member, nil
	}
	asked := e.now()
	var ch *slack.Channel
	err = limited(ctx, func(ctx context.Context) (err error) {
		ch, err = e.ask.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
		return err
	})
	if err != nil {
		return true, false, explain("asking Slack about channel "+id, err)
	}
	r := room{shared: ch.IsExtShared || ch.IsPendingExtShared, member: ch.IsMember}
	e.rooms.put(id, r, asked)
	return r.shared, r.member, nil
}
