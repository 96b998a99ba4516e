package slacklocal

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func apiTest(c *call) (object, error) {
	if e := c.str("error"); e != "" {
		return nil, apiErr(e)
	}
	return object{"args": object{}}, nil
}

func authTest(c *call) (object, error) {
	ws := &c.s.ws
	out := object{
		"url": "http://" + c.host + "/", "team": ws.Team.Name, "team_id": ws.Team.ID,
		"user": ws.App.Name, "user_id": ws.App.UserID, "bot_id": ws.App.BotID, "is_enterprise_install": ws.App.OrgWide,
	}
	if ws.Team.EnterpriseID != "" {
		out["enterprise_id"] = ws.Team.EnterpriseID
	}
	if ws.App.OrgWide {
		out["team_id"] = ws.Team.EnterpriseID
	}
	return out, nil
}

func teamInfo(c *call) (object, error) {
	t := c.s.ws.Team
	return object{"team": object{"id": t.ID, "name": t.Name, "domain": t.Domain}}, nil
}

func botsInfo(c *call) (object, error) {
	a := c.s.ws.App
	if id := c.str("bot"); id != "" && id != a.BotID {
		return nil, apiErr("bot_not_found")
	}
	return object{"bot": object{"id": a.BotID, "app_id": a.ID, "user_id": a.UserID, "name": a.Name, "deleted": false}}, nil
}

// visible finds a channel that the bot may read. The caller locks.
func (c *call) visible() (Channel, error) {
	id := c.str("channel")
	ch, ok := c.s.ws.channel(id)
	if !ok || ch.ID != id || ch.Private && !ch.has(c.s.ws.App.UserID) {
		return Channel{}, apiErr("channel_not_found")
	}
	return ch, nil
}

func (s *Server) channelWire(ch Channel) object {
	teams := []string{s.ws.Team.ID}
	if ch.ExtShared {
		for _, t := range s.ws.Others {
			teams = append(teams, t.ID)
		}
	}
	o := object{
		"id": ch.ID, "created": 1, "is_im": ch.IM, "is_archived": ch.Archived, "is_channel": !ch.IM && !ch.Private,
		"is_group": false, "is_mpim": false, "is_private": ch.Private || ch.IM, "is_general": false,
		"is_shared": ch.ExtShared, "is_ext_shared": ch.ExtShared, "is_org_shared": false, "is_pending_ext_shared": false,
		"is_member": ch.has(s.ws.App.UserID), "num_members": len(ch.Members),
		"context_team_id": s.ws.Team.ID, "shared_team_ids": teams, "creator": s.ws.App.UserID,
		"topic": object{"value": "", "creator": "", "last_set": 0}, "purpose": object{"value": "", "creator": "", "last_set": 0},
	}
	if ch.Restricted {
		o["properties"] = object{"posting_restricted_to": object{"type": []string{"admin"}, "user": []string{}}}
	}
	if ch.ExtShared {
		o["connected_team_ids"] = teams[1:]
	}
	if ch.IM {
		o["user"] = ch.Members[len(ch.Members)-1]
	} else {
		o["name"], o["name_normalized"] = ch.Name, ch.Name
	}
	return o
}

func conversationInfo(c *call) (object, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	ch, err := c.visible()
	if err != nil {
		return nil, err
	}
	return object{"channel": c.s.channelWire(ch)}, nil
}

func conversationList(c *call) (object, error) {
	types := strings.Split(c.str("types"), ",")
	if c.str("types") == "" {
		types = []string{"public_channel"}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var all []object
	for _, ch := range c.s.ws.Channels {
		kind := "public_channel"
		if ch.IM {
			kind = "im"
		} else if ch.Private {
			kind = "private_channel"
		}
		hidden := ch.Private && !ch.has(c.s.ws.App.UserID) || ch.Archived && c.str("exclude_archived") == "true"
		if slices.Contains(types, kind) && !hidden {
			all = append(all, c.s.channelWire(ch))
		}
	}
	items, next := page(c, all)
	return object{"channels": items, "response_metadata": object{"next_cursor": next}}, nil
}

func conversationMembers(c *call) (object, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	ch, err := c.visible()
	if err != nil {
		return nil, err
	}
	items, next := page(c, ch.Members)
	return object{"members": items, "response_metadata": object{"next_cursor": next}}, nil
}

func conversationOpen(c *call) (object, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	user := c.str("users")
	if p, ok := c.s.ws.person(user); !ok || p.ID != user {
		return nil, apiErr("user_not_found")
	}
	ch, _ := c.s.ws.channel(dmID(user))
	return object{"channel": c.s.channelWire(ch), "already_open": true}, nil
}

func conversationHistory(c *call) (object, error) {
	return c.messages(func(m *Message) bool { return m.ThreadTS == "" || m.ThreadTS == m.TS })
}

func conversationReplies(c *call) (object, error) {
	c.s.mu.Lock()
	missing := c.s.room.find(c.str("channel"), c.str("ts")) == nil
	c.s.mu.Unlock()
	if missing {
		return nil, apiErr("thread_not_found")
	}
	ts := c.str("ts")
	out, err := c.messages(func(m *Message) bool { return m.TS == ts || m.ThreadTS == ts })
	if err == nil {
		slices.Reverse(out["messages"].([]object)) // threads list the oldest first
	}
	return out, err
}

// messages lists the messages of a channel that the bot can read, newest first.
func (c *call) messages(want func(*Message) bool) (object, error) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := c.visible()
	if err != nil {
		return nil, err
	}
	if !ch.has(s.ws.App.UserID) {
		return nil, apiErr("not_in_channel")
	}
	all := []object{}
	for _, m := range slices.Backward(s.room.seenBy(ch.ID, "")) {
		if oldest := c.str("oldest"); want(m) && (oldest == "" || m.TS > oldest) {
			all = append(all, m.wire(s.ws.App, s.ws.Team.ID))
		}
	}
	items, next := page(c, all)
	return object{"messages": items, "has_more": next != "", "response_metadata": object{"next_cursor": next}}, nil
}

// userWire returns a person in the form of users.info. People of another organisation in a shared
// channel have is_stranger:false, so only their team shows that they are from outside.
func userWire(p Person) object {
	loc, err := time.LoadLocation(p.TZ)
	if err != nil {
		loc = time.UTC
	}
	_, offset := time.Now().In(loc).Zone()
	out := object{
		"id": p.ID, "name": p.Name, "real_name": p.RealName, "deleted": p.Deleted,
		"tz": p.TZ, "tz_label": p.TZ, "tz_offset": offset,
		"is_bot": p.Bot, "is_workflow_bot": p.WorkflowBot, "is_restricted": p.Restricted,
		"is_ultra_restricted": p.UltraRestricted, "is_stranger": p.Stranger, "is_app_user": false,
		"is_admin": false, "is_owner": false, "is_primary_owner": false, "updated": 1,
		"profile": object{"real_name": p.RealName, "display_name": p.Name, "team": p.TeamID},
	}
	if p.TeamID != "" {
		out["team_id"] = p.TeamID
	}
	if p.EnterpriseID != "" {
		out["enterprise_user"] = object{
			"id": cmp.Or(p.EnterpriseUser, p.ID), "enterprise_id": p.EnterpriseID, "enterprise_name": "",
			"is_admin": false, "is_owner": false, "is_primary_owner": false, "teams": []string{},
		}
	}
	return out
}

// botUser is the bot in users.info.
func (s *Server) botUser() Person {
	return Person{ID: s.ws.App.UserID, Name: s.ws.App.Name, RealName: s.ws.App.Name, TeamID: s.ws.Team.ID, TZ: "UTC", Bot: true}
}

func userInfo(c *call) (object, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	id := c.str("user")
	if id == c.s.ws.App.UserID {
		return object{"user": userWire(c.s.botUser())}, nil
	}
	p, ok := c.s.ws.person(id)
	if !ok || p.ID != id {
		return nil, apiErr("user_not_found")
	}
	return object{"user": userWire(p)}, nil
}

func userList(c *call) (object, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	all := []object{userWire(c.s.botUser())}
	for _, p := range c.s.ws.People {
		all = append(all, userWire(p))
	}
	items, next := page(c, all)
	return object{"members": items, "cache_ts": c.s.cfg.Now().Unix(), "response_metadata": object{"next_cursor": next}}, nil
}

func groupList(c *call) (object, error) {
	out := []object{}
	for _, g := range c.s.ws.Groups {
		out = append(out, object{
			"id": g.ID, "team_id": c.s.ws.Team.ID, "is_usergroup": true, "handle": g.Handle, "name": g.Name,
			"users": g.Users, "user_count": len(g.Users), "date_create": 1, "date_update": 1, "date_delete": 0,
		})
	}
	return object{"usergroups": out}, nil
}

func groupUsers(c *call) (object, error) {
	for _, g := range c.s.ws.Groups {
		if g.ID == c.str("usergroup") {
			return object{"users": g.Users}, nil
		}
	}
	return nil, apiErr("no_such_subteam")
}

// page returns the items of a list that a call requests by limit and cursor. The cursor is a
// position in the list.
func page[T any](c *call, all []T) (items []T, next string) {
	from := min(max(c.number("cursor", 0), 0), len(all))
	to := len(all)
	if n := c.number("limit", 0); n > 0 {
		to = min(from+n, len(all))
	}
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	if items = all[from:to]; items == nil {
		items = []T{}
	}
	return items, next
}
