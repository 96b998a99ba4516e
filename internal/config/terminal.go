package config

import (
	"fmt"
	"os/user"
	"path/filepath"
	"strings"

	"dhbot/internal/strictyaml"
)

// Terminal configures commands in a shell on the bot's own machine.
type Terminal struct {
	// Socket is the path of the socket. The default is terminal.sock in the state directory, or
	// "" if there is no state directory.
	Socket string
	// Group is the group with access to the socket; "" allows only the bot's own user (and root).
	Group string
	// Channel is where runs without a channel are shown in Slack. The default is the audit channel.
	Channel string
}

// terminalSocket is the default name of the socket in the state directory.
const terminalSocket = "terminal.sock"

// readTerminal reads the terminal settings. State and workspace must have been read before.
func (b *builder) readTerminal(v strictyaml.Value) {
	o := v.Object(keysOf[terminalKeys]()...)
	t := &b.config.Terminal
	t.Channel = b.config.Slack.AuditChannel
	if c := o.Get("channel"); c.There() {
		if t.Channel = c.Text(); !channelID.MatchString(t.Channel) {
			c.Problem(fmt.Sprintf("%q is not a channel id", t.Channel), channelIs)
		}
	}
	state := b.config.State.Dir
	if state != "" {
		t.Socket = filepath.Join(state, terminalSocket)
	}
	socket, group := o.Get("socket"), o.Get("group")
	if socket.There() {
		t.Socket = filepath.Clean(socket.Text())
		if !filepath.IsAbs(t.Socket) {
			socket.Problem(fmt.Sprintf("%q is not an absolute path", t.Socket), "write an absolute path, such as /run/dhbot/terminal.sock")
		}
	}
	if !group.There() {
		return
	}
	t.Group = group.Text()
	b.groups = append(b.groups, group)
	if t.Socket == "" || state != "" && strings.HasPrefix(t.Socket, state+"/") {
		group.Problem("the group cannot access the socket: only the bot may access the state directory", "write terminal.socket too, in a directory that the group may access: /run/dhbot/terminal.sock")
	}
}

// checkGroups checks that the groups in the config exist on this machine.
func (b *builder) checkGroups() {
	for _, g := range b.groups {
		if _, err := user.LookupGroup(g.Text()); err != nil {
			g.Problem(fmt.Sprintf("this machine has no group %q", g.Text()), "write the name of the operators' group, or create it: groupadd "+g.Text())
		}
	}
}
