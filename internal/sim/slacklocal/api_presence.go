package slacklocal

import "strings"

// userPresence implements users.getPresence.
func userPresence(c *call) (object, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	p, ok := c.s.ws.person(c.str("user"))
	if !ok {
		return nil, apiErr("user_not_found")
	}
	if p.Away {
		return object{"presence": "away"}, nil
	}
	return object{"presence": "active"}, nil
}

// dndTeamInfo implements dnd.teamInfo. As in Slack, the answer for a person who is not in Do Not
// Disturb has a period in the future.
func dndTeamInfo(c *call) (object, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	now := c.s.cfg.Now().Unix()
	users := object{}
	for id := range strings.SplitSeq(c.str("users"), ",") {
		p, ok := c.s.ws.person(id)
		switch {
		case !ok:
		case p.DNDUntil > now:
			users[id] = object{"dnd_enabled": true, "next_dnd_start_ts": now - 3600, "next_dnd_end_ts": p.DNDUntil}
		default:
			users[id] = object{"dnd_enabled": true, "next_dnd_start_ts": now + 8*3600, "next_dnd_end_ts": now + 16*3600}
		}
	}
	return object{"users": users}, nil
}
