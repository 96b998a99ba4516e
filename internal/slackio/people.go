package slackio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/sync/singleflight"

	"dhbot/auth"
)

// Identity is the bot's own account, from auth.test at start.
type Identity struct {
	User, BotID string // U…, B…
	Team        string // T…; for an org-wide installation possibly the E…
	Enterprise  string // E…, "" outside Enterprise Grid
}

// Organisation is the organisation in which the bot is installed.
func (id Identity) Organisation() string { return cmp.Or(id.Enterprise, id.Team) }

// Whoami asks Slack for the account to which the bot token belongs.
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

// memory caches answers.
type memory[V any] struct {
	now    func() time.Time
	asking singleflight.Group
	mu     sync.Mutex
	seen   map[string]remembered[V]
}

type remembered[V any] struct {
	value V
	at    time.Time
}

func newMemory[V any](now func() time.Time) *memory[V] {
	return &memory[V]{now: now, seen: make(map[string]remembered[V])}
}

// maxRemembered is the largest number of keys in a cache. A full cache drops all keys, and each key
// then costs one more query.
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

// learn returns a cached answer that is at most maxAge old, or else calls ask. Concurrent callers
// share one query, except for maxAge 0: a running query may have started before the call.
func (m *memory[V]) learn(key string, maxAge time.Duration, ask func() (V, error)) (V, error) {
	if v, ok := m.get(key, maxAge); ok {
		return v, nil
	}
	question := func() (any, error) {
		if v, ok := m.get(key, maxAge); ok {
			return v, nil // another caller has just received this answer
		}
		asked := m.now()
		v, err := ask()
		if err == nil {
			m.put(key, v, asked)
		}
		return v, err
	}
	var v any
	var err error
	if maxAge > 0 {
		v, err, _ = m.asking.Do(key, question)
	} else {
		v, err = question()
	}
	answer, _ := v.(V)
	return answer, err
}

// put stores v with the time at which its query began.
func (m *memory[V]) put(key string, v V, asked time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.seen) >= maxRemembered {
		clear(m.seen)
	}
	m.seen[key] = remembered[V]{v, asked}
}

// Lookup returns Slack's current data about an account or, for reads, data at most maxAge old.
// maxAge is 0 for a request of an action, for a vote, and for the check before execution. Lookup
// ignores the team that an event names. Callers treat an error as a refusal.
func (e *Edge) Lookup(ctx context.Context, a auth.Account, maxAge time.Duration) (auth.Profile, error) {
	p, err := e.profiles.learn(a.User, maxAge, func() (auth.Profile, error) { return e.lookup(ctx, a) })
	p.Account = a
	return p, err
}

// lookup queries Slack about an account.
func (e *Edge) lookup(ctx context.Context, a auth.Account) (auth.Profile, error) {
	asked := e.now()
	var user *slack.User
	err := limited(ctx, func(ctx context.Context) (err error) {
		user, err = e.ask.GetUserInfoContext(ctx, a.User)
		return err
	})
	if err == nil || code(err) != "" && !transient(err) || errors.As(err, new(*slack.RateLimitedError)) {
		e.answered.Store(e.now().UnixNano())
	}
	if err != nil {
		return auth.Profile{}, explain("asking Slack about "+a.String(), err)
	}
	p := profile(user)
	if user.ID != a.User && p.ID != a.User || p.Organisation == "" {
		return auth.Profile{}, fmt.Errorf("asking Slack about %s: the answer is about %q of organisation %q", a, user.ID, p.Organisation)
	}
	p.Account, p.Checked = a, asked
	return p, nil
}

// Answered is the time of Slack's last answer to a query about a person, including a rate limit, or
// of the last bytes on a socket.
func (e *Edge) Answered() time.Time {
	last := stamp(&e.answered)
	for _, s := range e.Health().Sockets {
		if s.Read.After(last) {
			last = s.Read
		}
	}
	return last
}

// profile converts an answer of users.info. In an Enterprise Grid the person and their organisation
// are in enterprise_user, and team_id may be missing.
func profile(u *slack.User) auth.Profile {
	return auth.Profile{
		ID:           cmp.Or(u.Enterprise.ID, u.ID),
		Organisation: cmp.Or(u.Enterprise.EnterpriseID, u.TeamID),
		HomeTeam:     u.TeamID,
		Deleted:      u.Deleted,
		Bot:          u.IsBot || u.IsWorkflowBot || u.IsConnectorBot || u.ID == "USLACKBOT",
		Guest:        u.IsRestricted || u.IsUltraRestricted || u.IsInvitedUser,
		Stranger:     u.IsStranger,
	}
}

// channelFacts are the relevant properties of a channel.
type channelFacts struct{ shared, member bool }

// Channel reports whether people of other organisations are in a channel or may join it, and
// whether the bot is a member. The answer may be up to maxAge old. A direct message is never
// shared.
func (e *Edge) Channel(ctx context.Context, id string, maxAge time.Duration) (shared, member bool, err error) {
	if strings.HasPrefix(id, "D") {
		return false, true, nil
	}
	r, err := e.channels.learn(id, maxAge, func() (r channelFacts, err error) {
		var ch *slack.Channel
		err = limited(ctx, func(ctx context.Context) (err error) {
			ch, err = e.ask.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
			return err
		})
		if err == nil {
			r = channelFacts{shared: ch.IsExtShared || ch.IsPendingExtShared, member: ch.IsMember}
		}
		return r, err
	})
	if err != nil {
		return true, false, explain("asking Slack about channel "+id, err)
	}
	return r.shared, r.member, nil
}
