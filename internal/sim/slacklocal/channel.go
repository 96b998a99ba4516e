package slacklocal

import (
	"fmt"
	"slices"
)

// ChannelChange is a change of a channel. What a nil field describes stays unchanged.
type ChannelChange struct {
	Channel    string `json:"channel"`
	Archived   *bool  `json:"is_archived,omitempty"`
	Restricted *bool  `json:"restricted,omitempty"`
	Shared     *bool  `json:"is_ext_shared,omitempty"` // whether another organisation sees the channel
	WithoutBot *bool  `json:"without_bot,omitempty"`   // true removes the bot from the channel, false adds it
}

// ChangeChannel archives a channel, restricts who may post, shares it with another organisation, or
// removes the bot from it.
func (s *Server) ChangeChannel(in ChannelChange) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.ws.channel(in.Channel)
	if !ok {
		return nil, fmt.Errorf("there is no channel %q", in.Channel)
	}
	i := slices.IndexFunc(s.ws.Channels, func(c Channel) bool { return c.ID == found.ID })
	ch := &s.ws.Channels[i]
	if in.Archived != nil {
		ch.Archived = *in.Archived
	}
	if in.Restricted != nil {
		ch.Restricted = *in.Restricted
	}
	if in.Shared != nil {
		ch.ExtShared = *in.Shared
	}
	if in.WithoutBot != nil {
		bot := s.ws.App.UserID
		ch.Members = slices.DeleteFunc(slices.Clone(ch.Members), func(m string) bool { return m == bot })
		if !*in.WithoutBot {
			ch.Members = append(ch.Members, bot)
		}
	}
	return object{"channel": *ch}, nil
}
