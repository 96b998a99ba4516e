package config

import (
	"fmt"
	"os/user"
	"path/filepath"
	"strings"
)

// Terminal configures commands in a shell on the bot's own machine.
type Terminal struct {
	// Socket is the path of the socket. The default is terminal.sock in the state directory, or ""
	// without one.
	Socket string
	// Group is the group with access to the socket; "" allows only the bot's own user (and root).
	Group string
	// Channel is where runs without a channel are shown in Slack. The default is the audit channel.
	Channel string
}

// terminalSocket is the socket's name in a state directory.
const terminalSocket = "terminal.sock"

// readTerminal needs the state and the workspace.
func (b *builder) readTerminal(v value) {
	o := v.object(keysOf[terminalKeys]()...)
	t := &b.config.Terminal
	t.Channel = b.config.Slack.AuditChannel
	if c := o.get("channel"); c.there() {
		if t.Channel = c.text(); !channelID.MatchString(t.Channel) {
			c.problem(fmt.Sprintf("%q is no id of a channel", t.Channel), channelIs)
		}
	}
	state := b.config.State.Dir
	if state != "" {
		t.Socket = filepath.Join(state, terminalSocket)
	}
	socket, group := o.get("socket"), o.get("group")
	if socket.there() {
		t.Socket = filepath.Clean(socket.text())
		if !filepath.IsAbs(t.Socket) {
			socket.problem(fmt.Sprintf("%q is no absolute path", t.Socket), "write it from /, such as /run/dhbot/terminal.sock")
		}
	}
	if !group.there() {
		return
	}
	t.Group = group.text()
	b.groups = append(b.groups, group)
	if t.Socket == "" || state != "" && strings.HasPrefix(t.Socket, state+"/") {
		group.problem("the group cannot reach the socket: the state directory is the bot's alone", "write terminal.socket too, in a directory that the group may enter: /run/dhbot/terminal.sock")
	}
}

// checkGroups checks that the groups in the file exist.
func (b *builder) checkGroups() {
	for _, g := range b.groups {
		if _, err := user.LookupGroup(g.text()); err != nil {
			g.problem(fmt.Sprintf("this machine has no group %q", g.text()), "write the name of the operators' group, or make it: groupadd "+g.text())
		}
	}
}
