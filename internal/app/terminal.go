package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"dhbot/auth"
	"dhbot/handlers"
	"dhbot/internal/control"
	"dhbot/internal/sshkey"
	"dhbot/internal/terminal"
)

// Terminal is the way in for people in a shell on the bot's machine.
type Terminal struct {
	Socket string // a path; "" means none
	Group  string // who may reach it besides the bot's own user; "" is nobody
	Keys   map[string][]sshkey.Key
}

// openAgain is the time between two tries to open the terminal's socket.
const openAgain = 30 * time.Second

// console keeps the terminal's socket open. Where that cannot be done the bot
// goes on without, and says so in its health: a directory that is not there
// after a reboot is no reason for Slack not to be answered either.
type console struct {
	Terminal
	server *terminal.Server

	mu  sync.Mutex
	why error // it is not open, because
}

func (b *bot) console() (*console, error) {
	server, err := terminal.New(terminal.Config{
		Keys: b.Terminal.Keys, Command: b.service.Command, Run: b.Store.Get, Log: b.Store,
		Now: b.Now, Logger: b.Log.With("part", "terminal"),
	})
	return &console{Terminal: b.Terminal, server: server}, err
}

func (c *console) run(ctx context.Context, log func(msg string, args ...any)) error {
	for {
		l, err := control.ListenAt(c.Socket, c.Group)
		c.note(err)
		if err == nil {
			return c.server.Serve(ctx, l)
		}
		log("the terminal's socket cannot be opened; trying again", "in", openAgain, "err", err)
		t := time.NewTimer(openAgain)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

func (c *console) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.why = err
}

// ill is what is wrong with the terminal, or "".
func (c *console) ill() string {
	if c == nil {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == nil {
		return ""
	}
	return fmt.Sprintf("nobody can use the terminal: %v", c.why)
}

// directory answers for the people at the terminal itself, and asks Slack about
// everybody else. That somebody has a key is what lets them in: the terminal
// has checked that they hold it.
type directory struct {
	slack handlers.Directory
	keys  map[string][]sshkey.Key
	now   func() time.Time
}

func (d directory) Lookup(ctx context.Context, a auth.Account, maxAge time.Duration) (auth.Profile, error) {
	if a.Team != auth.LocalTeam {
		return d.slack.Lookup(ctx, a, maxAge)
	}
	if len(d.keys[a.User]) == 0 {
		return auth.Profile{}, fmt.Errorf("%s has no key in the config any more", a.User)
	}
	return auth.Profile{Account: a, HomeTeam: auth.LocalTeam, Checked: d.now()}, nil
}
