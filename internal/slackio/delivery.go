package slackio

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/card"
	"dhbot/internal/command/words"
	"dhbot/internal/engine"
	"dhbot/internal/slackio/blockkit"
	"dhbot/internal/slackio/manifest"
)

// deliveryVersion is the version of the stored form of a delivery.
const deliveryVersion = 1

// delivery is one action of a person, as it is claimed and stored. Another process can handle it
// later.
type delivery struct {
	V       int          `json:"v"`
	Key     string       `json:"key"`
	Via     call.Via     `json:"via"`
	Account auth.Account `json:"account"`
	Channel string       `json:"channel,omitempty"`
	Shared  bool         `json:"shared,omitempty"` // the event says that the channel is shared
	Thread  string       `json:"thread,omitempty"`
	Text    string       `json:"text,omitempty"`
	// Talk means that the message does not begin with the bot's name. Edited means that the text
	// replaces the text of an older message.
	Talk   bool              `json:"talk,omitempty"`
	Edited bool              `json:"edited,omitempty"`
	Action string            `json:"action,omitempty"`
	Value  string            `json:"value,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
	At     time.Time         `json:"at"`
	// ResponseURL accepts answers that only this person sees, a few times within half an hour.
	ResponseURL string `json:"response_url,omitempty"`
	// Trigger allows the bot to open a form within 3 s. It is not stored, because it expires.
	Trigger string `json:"-"`
	// View is the window with the tapped button; an answer in a window replaces it. It is "" for a
	// button of a message. Like Trigger it is not stored.
	View string `json:"-"`
	// firstInput is the id of the form's first input, which shows the errors of the form.
	firstInput string
	// parsed is the command as parsed on arrival; nil for a resumed delivery.
	parsed *call.Parsed
	// received is when the envelope arrived; zero for a resumed delivery.
	received time.Time
}

func (d *delivery) place() engine.Place { return engine.Place{Channel: d.Channel, Thread: d.Thread} }

// decode turns an event of a socket into a delivery. ok is false for events that the bot ignores:
// its own messages, messages of other bots, edits that do not change the text of a direct message,
// and interactions that the bot does not use. Other edits of direct messages, and edited mentions,
// become deliveries with Edited set.
func decode(ev socketmode.Event, self Identity, now slackClock) (d *delivery, ok bool) {
	switch data := ev.Data.(type) {
	case slack.SlashCommand:
		d = slashDelivery(data, now)
		if data.TriggerID == "" && ev.Request != nil {
			d.Key = "slash/" + ev.Request.EnvelopeID
		}
	case slackevents.EventsAPIEvent:
		if d = mentionDelivery(data, self, now); d == nil {
			d = directDelivery(data, self, now)
		}
	case slack.InteractionCallback:
		switch data.Type {
		case slack.InteractionTypeBlockActions:
			d = clickDelivery(data, now)
		case slack.InteractionTypeViewSubmission:
			d = formDelivery(data, now)
		case slack.InteractionTypeMessageAction, slack.InteractionTypeShortcut:
			d = shortcutDelivery(data, now)
		}
	}
	if d == nil || d.Account.User == "" {
		return nil, false
	}
	d.V = deliveryVersion
	return d, true
}

func slashDelivery(c slack.SlashCommand, now slackClock) *delivery {
	return &delivery{
		Key: "slash/" + c.TriggerID, Via: call.Slash,
		Account: auth.Account{Team: c.TeamID, User: c.UserID},
		Channel: c.ChannelID, Text: c.Text, At: now.now,
		ResponseURL: c.ResponseURL, Trigger: c.TriggerID,
	}
}

// mentionDelivery handles app_mention events only; a message event for the same mention is a
// duplicate. The delivery gets the key of the message, not of the event, so the key is the same in
// every redelivery.
func mentionDelivery(ev slackevents.EventsAPIEvent, self Identity, now slackClock) *delivery {
	m, ok := ev.InnerEvent.Data.(*slackevents.AppMentionEvent)
	if !ok || m.BotID != "" || m.User == self.User || m.User == "USLACKBOT" {
		return nil
	}
	text, begins := words.Addressed(m.Text, self.User)
	d := &delivery{
		Key: "mention/" + m.Channel + "/" + m.TimeStamp, Via: call.Mention,
		Account: auth.Account{Team: cmp.Or(m.UserTeam, m.SourceTeam, ev.TeamID), User: m.User},
		Channel: m.Channel, Thread: m.ThreadTimeStamp,
		Text: text, Talk: !begins, At: now.at(m.TimeStamp),
	}
	if m.Edited != nil {
		d.Edited, d.Key = true, "edited/"+m.Channel+"/"+m.TimeStamp
	}
	if cb, ok := ev.Data.(*slackevents.EventsAPICallbackEvent); ok {
		d.Shared = cb.IsExtSharedChannel
	}
	return d
}

// spoken reports whether a message with this subtype has text that a person wrote. The subtypes are
// for messages with a file, for thread replies that are also sent to the channel, and for /me
// messages.
func spoken(subtype string) bool {
	return subtype == "" || subtype == "file_share" || subtype == "thread_broadcast" || subtype == "me_message"
}

// directDelivery handles direct messages to the bot. A direct message needs no mention, and Slack
// sends no mention event for it. The text of a message with a file is accepted; messages of apps
// are ignored. The author of an edit is told that an edit runs nothing.
func directDelivery(ev slackevents.EventsAPIEvent, self Identity, now slackClock) *delivery {
	m, ok := ev.InnerEvent.Data.(*slackevents.MessageEvent)
	if ok && m.SubType == slack.MsgSubTypeMessageChanged {
		return editDelivery(ev, m, self, now)
	}
	if !ok || m.ChannelType != slackevents.ChannelTypeIM || !spoken(m.SubType) || m.BotID != "" || m.User == "" || m.User == self.User ||
		m.User == "USLACKBOT" {
		return nil
	}
	text, _ := words.Addressed(m.Text, self.User) // a direct message addresses only the bot
	return &delivery{
		Key: "mention/" + m.Channel + "/" + m.TimeStamp, Via: call.Mention,
		Account: auth.Account{Team: cmp.Or(m.UserTeam, m.SourceTeam, ev.TeamID), User: m.User},
		Channel: m.Channel, Thread: m.ThreadTimeStamp,
		Text: text, At: now.at(m.TimeStamp),
	}
}

// editDelivery is a direct message that its author edited. Slack also sends an edit when it only
// unfurls a link, with unchanged text.
func editDelivery(ev slackevents.EventsAPIEvent, m *slackevents.MessageEvent, self Identity, now slackClock) *delivery {
	is, was := m.Message, m.PreviousMessage
	if m.ChannelType != slackevents.ChannelTypeIM || is == nil || is.Edited == nil || is.BotID != "" || is.User == "" ||
		is.User == self.User ||
		was != nil && was.Text == is.Text {
		return nil
	}
	text, _ := words.Addressed(is.Text, self.User)
	return &delivery{
		Key: "edited/" + m.Channel + "/" + is.Timestamp, Via: call.Mention, Edited: true,
		Account: auth.Account{Team: cmp.Or(is.Team, ev.TeamID), User: is.User},
		Channel: m.Channel, Thread: is.ThreadTimestamp, Text: text, At: now.at(is.Timestamp),
	}
}

func clickDelivery(c slack.InteractionCallback, now slackClock) *delivery {
	if len(c.ActionCallback.BlockActions) == 0 {
		return nil
	}
	a := c.ActionCallback.BlockActions[0]
	if string(a.Type) != "button" {
		return nil
	}
	channel := c.Channel.ID
	if channel == "" {
		channel = c.Container.ChannelID
	}
	thread := c.Container.ThreadTs
	if thread == "" {
		thread = c.Message.ThreadTimestamp
	}
	if thread == c.Message.Timestamp || thread == c.Container.MessageTs {
		thread = "" // the first message of a thread is in the channel
	}
	view := ""
	if c.View.Type == slack.VTModal {
		view = c.View.ID
		var origin blockkit.FormOrigin
		if err := json.Unmarshal([]byte(c.View.PrivateMetadata), &origin); err == nil {
			channel, thread = origin.Channel, origin.Thread
		}
	}
	return &delivery{
		Key: "click/" + a.ActionTs + "/" + c.User.ID + "/" + a.ActionID, Via: call.Button,
		Account: person(c), Channel: channel, Thread: thread,
		Action: blockkit.ActionOf(a.ActionID), Value: a.Value, At: now.at(a.ActionTs),
		ResponseURL: c.ResponseURL, Trigger: c.TriggerID, View: view,
	}
}

// shortcutDelivery handles the app's shortcuts. The answer to a shortcut on a message goes into the
// thread of the message. The text of the message is in Fields, because it was not typed as a
// command.
func shortcutDelivery(c slack.InteractionCallback, now slackClock) *delivery {
	if c.TriggerID == "" || !slices.Contains(manifest.ShortcutIDs, c.CallbackID) {
		return nil
	}
	d := &delivery{
		Key: "shortcut/" + c.TriggerID, Via: call.Button, Account: person(c), Action: card.TapAsk,
		At: now.at(c.ActionTs), ResponseURL: c.ResponseURL, Trigger: c.TriggerID,
	}
	if c.Type == slack.InteractionTypeMessageAction {
		d.Channel, d.Thread = c.Channel.ID, cmp.Or(c.Message.ThreadTimestamp, c.Message.Timestamp)
		d.Fields = map[string]string{card.FieldMessage: c.Message.Text}
	}
	return d
}

func formDelivery(c slack.InteractionCallback, now slackClock) *delivery {
	var origin blockkit.FormOrigin
	if err := json.Unmarshal([]byte(c.View.PrivateMetadata), &origin); err != nil || origin.Action == "" {
		return nil // not one of the bot's forms
	}
	d := &delivery{
		Key: "view/" + c.View.ID + "/" + c.View.Hash, Via: call.Form,
		Account: person(c), Channel: origin.Channel, Thread: origin.Thread,
		Action: origin.Action, Value: origin.Value, Fields: make(map[string]string),
		At: now.now, Trigger: c.TriggerID,
	}
	if c.View.State != nil {
		for name, input := range c.View.State.Values {
			d.Fields[name] = input[blockkit.InputAction].Value
		}
	}
	for _, b := range c.View.Blocks.BlockSet {
		if in, ok := b.(*slack.InputBlock); ok {
			d.firstInput = in.BlockID
			break
		}
	}
	return d
}

// person returns the account of the person who tapped. Its team is the person's own team, because a
// shared channel may belong to another team.
func person(c slack.InteractionCallback) auth.Account {
	return auth.Account{Team: cmp.Or(c.User.TeamID, c.Team.ID), User: c.User.ID}
}

// slackClock converts Slack's timestamps to this machine's clock.
type slackClock struct {
	now   time.Time
	ahead time.Duration // of Slack's clock
}

// at converts a timestamp such as "1700000000.000200" to this machine's clock. An invalid or future
// timestamp counts as now.
func (c slackClock) at(ts string) time.Time {
	sec, frac, _ := strings.Cut(ts, ".")
	s, err := strconv.ParseInt(sec, 10, 64)
	if err != nil || s <= 0 {
		return c.now
	}
	us, err := strconv.ParseInt((frac + "000000")[:6], 10, 64)
	if err != nil {
		us = 0
	}
	at := time.Unix(s, us*int64(time.Microsecond)).UTC().Add(c.ahead)
	if at.After(c.now) {
		return c.now
	}
	return at
}

// durability is how safely a delivery is stored.
type durability uint8

const (
	claimed   durability = iota // stored, and settled when it is handled
	unclaimed                   // not stored, because it only reads
	unstored                    // could not be stored
)

// message converts the delivery to the form that handlers use. A delivery that could not be stored
// gets no key.
func (d *delivery) message(held durability, at channelFacts) call.Message {
	m := call.Message{
		Via:           d.Via,
		Account:       d.Account,
		Channel:       d.Channel,
		ChannelShared: at.shared,
		Outside:       !at.member,
		Alone:         strings.HasPrefix(d.Channel, "D"),
		Thread:        d.Thread,
		Parsed:        d.parsed,
		Text:          d.Text,
		Talk:          d.Talk,
		Edited:        d.Edited,
		At:            d.At,
		Tap:           call.Tap{Action: d.Action, Value: d.Value, Fields: d.Fields, Trigger: d.Trigger},
	}
	m.Unclaimed = held == unclaimed
	if held != unstored {
		m.Key = d.Key
	}
	return m
}

// restore decodes the stored payload of a claim.
func restore(payload []byte) (*delivery, error) {
	var d delivery
	if err := json.Unmarshal(payload, &d); err != nil {
		return nil, fmt.Errorf("a stored delivery cannot be read: %w", err)
	}
	if d.V != deliveryVersion {
		return nil, fmt.Errorf("a stored delivery has form %d, but this version knows only form %d: let the version of the bot that stored the delivery handle it", d.V, deliveryVersion)
	}
	if d.Key == "" || d.Account.User == "" {
		return nil, fmt.Errorf("a stored delivery has no key or no person")
	}
	return &d, nil
}
