package slacklocal

import (
	"fmt"
	"time"
)

// Slack's limits of response URLs.
const (
	hookUses = 5                // posts to one response URL
	hookLife = 30 * time.Minute // life of a response URL
)

// passes holds what expires: tickets for a WebSocket, trigger ids, and response URLs. The caller
// locks.
type passes struct {
	tickets  map[string]time.Time // when the ticket expires
	triggers map[string]*trigger
	hooks    map[string]*hook
	count    int64
	sweptAt  time.Time
}

type trigger struct {
	user  string
	until time.Time
	used  bool
}

// hook is the target of a response URL.
type hook struct {
	user, channel string
	message       string // ts of the clicked message, if any
	thread        string
	until         time.Time
	uses          int
}

func newPasses() *passes {
	return &passes{tickets: map[string]time.Time{}, triggers: map[string]*trigger{}, hooks: map[string]*hook{}}
}

func (p *passes) ticket(until time.Time) string {
	t := secret()
	p.tickets[t] = until
	return t
}

// redeem uses up a ticket.
func (p *passes) redeem(t string, now time.Time) bool {
	until, ok := p.tickets[t]
	delete(p.tickets, t)
	return ok && now.Before(until)
}

func (p *passes) trigger(user string, until time.Time) string {
	p.sweep(until)
	p.count++
	id := fmt.Sprintf("%d.%d.%s", until.UnixMilli(), p.count, secret())
	p.triggers[id] = &trigger{user: user, until: until}
	return id
}

// pull uses up a trigger id and returns its user. An error has one of Slack's codes.
func (p *passes) pull(id string, now time.Time) (user string, err error) {
	t, ok := p.triggers[id]
	switch {
	case !ok:
		return "", apiErr("invalid_trigger_id")
	case t.used:
		return "", apiErr("exchanged_trigger_id")
	case !now.Before(t.until):
		return "", apiErr("expired_trigger_id")
	}
	t.used = true
	return t.user, nil
}

func (p *passes) hook(h hook) string {
	id := secret()
	p.hooks[id] = &h
	return id
}

// call counts a post to a response URL, and returns the URL's target. An error has one of Slack's
// codes.
func (p *passes) call(id string, now time.Time) (*hook, error) {
	h, ok := p.hooks[id]
	switch {
	case !ok || !now.Before(h.until):
		return nil, apiErr("expired_url")
	case h.uses >= hookUses:
		return nil, apiErr("used_url")
	}
	h.uses++
	return h, nil
}

// sweep removes, once a minute, items that expired an hour ago.
func (p *passes) sweep(now time.Time) {
	if now.Sub(p.sweptAt) < time.Minute {
		return
	}
	p.sweptAt = now
	old := now.Add(-time.Hour)
	for id, until := range p.tickets {
		if until.Before(old) {
			delete(p.tickets, id)
		}
	}
	for id, t := range p.triggers {
		if t.until.Before(old) {
			delete(p.triggers, id)
		}
	}
	for id, h := range p.hooks {
		if h.until.Before(old) {
			delete(p.hooks, id)
		}
	}
}
