package app

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"dhbot/internal/local/adminsock"
	"dhbot/internal/local/localshell"
	"dhbot/internal/local/membership"
	"dhbot/internal/pause"
	"dhbot/internal/sshkey"
)

// Terminal configures `bot do`, for commands in a shell on the bot's machine.
type Terminal struct {
	Socket string // a path; "" means none
	Group  string // the group with access besides the bot's own user; "" for none
	Keys   map[string][]sshkey.Key
}

// openAgain is the time between two tries to open the socket of `bot do`.
const openAgain = 30 * time.Second

// console keeps the socket of `bot do` open. If that fails, the bot continues without the socket
// and reports this in its health, because a directory missing after a reboot must not stop the
// answers in Slack.
type console struct {
	Terminal
	server *localshell.Server

	mu  sync.Mutex
	why error // why the socket is not open
}

func (b *bot) console() (*console, error) {
	server, err := localshell.New(localshell.Config{
		Keys: b.Terminal.Keys, Command: b.service.Command, Run: b.Store.Get, Log: b.Store,
		Now: b.Now, Logger: b.Log.With("part", "terminal"),
	})
	return &console{Terminal: b.Terminal, server: server}, err
}

func (c *console) run(ctx context.Context, log func(msg string, args ...any)) error {
	for {
		l, err := adminsock.ListenAt(c.Socket, c.Group)
		c.note(err)
		if err == nil {
			return c.server.Serve(ctx, l)
		}
		log("the socket of `bot do` cannot be opened; retrying", "in", openAgain, "err", err)
		if !pause.For(ctx, openAgain) {
			return nil
		}
	}
}

func (c *console) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.why = err
}

// ill returns the text of the problem with the socket, or "".
func (c *console) ill() string {
	if c == nil {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == nil {
		return ""
	}
	return fmt.Sprintf("`bot do` is not available because its socket cannot be opened: %v", c.why)
}

// membership returns the directory that looks up the users of `bot do` in Slack.
func (b *bot) membership() (*membership.Directory, error) {
	file := ""
	if b.ControlDir != "" {
		file = filepath.Join(b.ControlDir, "people.json")
	}
	return membership.New(membership.Config{
		Slack: b.slack, Answered: b.slack.Answered, Rules: b.Settings.Rules, File: file,
		HasKey: func(person string) bool { return len(b.Terminal.Keys[person]) > 0 },
		Now:    b.Now, Log: b.Log.With("part", "membership"),
	})
}
