package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SlashCommand is the app's slash command.
const SlashCommand = "/dh"

// The ids and the name of the app's two shortcuts. Slack requires a distinct id for each of
// them, and shows the name to people.
const (
	messageShortcut = "ask_message"
	globalShortcut  = "ask_anywhere"
	shortcutName    = "Ask about Deephaven"
)

// ShortcutIDs are the ids in use. In apps with an older manifest, both shortcuts have the id
// "ask".
var ShortcutIDs = []string{messageShortcut, globalShortcut, "ask"}

// Slack's limits of a manifest, by its schema.
const (
	maxAppName    = 35
	defaultAppHue = "#1d4e89"
)

// Scopes returns the scopes of the bot token. They are exactly those for the Web API methods and
// events that this package uses.
func Scopes() []string {
	return []string{
		"app_mentions:read", // app_mention
		"channels:read",     // conversations.info: whether a channel is shared, and the bot a member
		"chat:write",        // chat.postMessage, update, postEphemeral
		"commands",          // the slash command
		ScopeDND,            // dnd.teamInfo: which of the people to mention are in Do Not Disturb
		"files:write",       // files.getUploadURLExternal, completeUploadExternal
		"groups:read",       // conversations.info of private channels
		"im:history",        // message.im
		"im:read",           // conversations.info of direct messages
		"im:write",          // conversations.open
		"mpim:read",         // conversations.info of group messages
		"reactions:read",    // reaction_added, reaction_removed: only the bot's own reactions are used
		"reactions:write",   // reactions.add, remove: the round trip that verifies delivery of events
		"users:read",        // users.info: a person's identity; users.getPresence
	}
}

// events are the events that Slack sends to the app.
func events() []string {
	return []string{"app_home_opened", "app_mention", "message.im", "reaction_added", "reaction_removed"}
}

type Manifest struct {
	Metadata struct {
		Major int `json:"major_version"`
	} `json:"_metadata"`
	Display struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Colour      string `json:"background_color"`
	} `json:"display_information"`
	Features struct {
		Home struct {
			HomeTab  bool `json:"home_tab_enabled"`
			Messages bool `json:"messages_tab_enabled"`
			ReadOnly bool `json:"messages_tab_read_only_enabled"`
		} `json:"app_home"`
		Bot struct {
			Name   string `json:"display_name"`
			Online bool   `json:"always_online"`
		} `json:"bot_user"`
		Shortcuts []shortcutFeature `json:"shortcuts"`
		Slash     []slashFeature    `json:"slash_commands"`
	} `json:"features"`
	OAuth struct {
		Scopes struct {
			Bot []string `json:"bot"`
		} `json:"scopes"`
	} `json:"oauth_config"`
	Settings struct {
		Events struct {
			Bot []string `json:"bot_events"`
		} `json:"event_subscriptions"`
		Interactivity struct {
			On bool `json:"is_enabled"`
		} `json:"interactivity"`
		OrgDeploy bool `json:"org_deploy_enabled"`
		Socket    bool `json:"socket_mode_enabled"`
		Rotation  bool `json:"token_rotation_enabled"`
	} `json:"settings"`
}

type slashFeature struct {
	Command     string `json:"command"`
	Description string `json:"description"`
	Hint        string `json:"usage_hint"`
	Escape      bool   `json:"should_escape"`
}

type shortcutFeature struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Callback    string `json:"callback_id"`
	Description string `json:"description"`
}

// shortcuts open a window to type a command into, for places where slash commands do not work: in
// threads and outside channels.
func shortcuts() []shortcutFeature {
	return []shortcutFeature{
		{Name: shortcutName, Type: "message", Callback: messageShortcut, Description: "Run a command about this message; the answer goes into its thread"},
		{Name: shortcutName, Type: "global", Callback: globalShortcut, Description: "Run a command; the answer is a direct message"},
	}
}

// For returns the app manifest as JSON. From it, Slack creates an app with exactly what the bot
// needs. The app uses Socket Mode, so it has no public URL. name is the app's name, at most 35
// characters.
func For(name string) ([]byte, error) {
	if n := utf8.RuneCountInString(name); n == 0 || n > maxAppName || strings.ContainsFunc(name, unicode.IsControl) {
		return nil, fmt.Errorf("%q is not a valid app name: Slack wants 1 to %d plain characters", name, maxAppName)
	}
	var m Manifest
	m.Metadata.Major = 2
	m.Display.Name = name
	m.Display.Description = "Runs Deephaven's runbooks: status, restart and more, with a second approver for Sev 1 actions"
	m.Display.Colour = defaultAppHue
	m.Features.Home.HomeTab, m.Features.Home.Messages = true, true
	m.Features.Bot.Name, m.Features.Bot.Online = name, true
	m.Features.Shortcuts = shortcuts()
	m.Features.Slash = []slashFeature{{Command: SlashCommand, Description: "Status, restart and the other runbooks of Deephaven", Hint: "help | status db_dis | restart db_dis reason"}}
	m.OAuth.Scopes.Bot = Scopes()
	m.Settings.Events.Bot = events()
	m.Settings.Interactivity.On, m.Settings.Socket = true, true
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(m)
	return b.Bytes(), err
}

const ScopeDND = "dnd:read"
