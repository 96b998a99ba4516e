// Package sshexec is the SSH edge: it runs one command on one host over a pool
// of warm connections, and says which of remote's closed set of outcomes came
// of it.
//
// What it promises:
//   - A command is sent at most once. A connection found dead before the exec
//     request is written is replaced; from that request on nothing is sent
//     again, and losing sight of a command that changes something is
//     FateUnknown.
//   - A host is believed only by its known_hosts line; there is no trust on
//     first use.
//   - Every wait has an end: for the TCP connection, the handshake, a free
//     session, the command.
//   - Memory is bounded whatever a host sends.
//   - Commands get no terminal, no agent, no environment, and an empty
//     standard input.
package sshexec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dhbot/internal/sshexec/credential"
	"dhbot/internal/sshroute"
)

// Config is how a Pool reaches its hosts. Credentials and KnownHosts are needed;
// everything else has a default.
type Config struct {
	// Credentials are what the bot logs in with, offered in this order.
	Credentials []sshroute.Credential
	// KnownHosts is an OpenSSH known_hosts file. It is read again when it
	// has changed, so that a new host needs no restart.
	KnownHosts string
	// Options are the places that are reached in a way of their own, jump hosts
	// included.
	Options map[sshroute.Place]sshroute.Options
	// Renew is a command that renews the user certificates, run before one
	// expires; nil for none.
	Renew []string
	// Handshakes is how many hosts are logged in to at a time, so that the dials
	// after a network outage are spread out. Default 16.
	Handshakes int
	// Sessions is how many commands run at a time over one connection. It
	// stays below sshd's default MaxSessions of 10. Default 8.
	Sessions int
	// DialTimeout limits the TCP connection. Default 5 s.
	DialTimeout time.Duration
	// HandshakeTimeout limits key exchange and login together, and each
	// keep-alive. Default 10 s.
	HandshakeTimeout time.Duration
	// KeepAlive is how long a connection may be idle before it is asked
	// whether it still lives. Default 15 s.
	KeepAlive time.Duration
	// KeepBytes is how much of each of a command's two streams is kept from
	// its beginning, and as much again from its end. Default 256 KiB.
	KeepBytes int
	// StopBytes is how much a command may write in all before it is
	// stopped. Default 256 MiB.
	StopBytes int64
	// Log receives what happens to connections; nil discards it.
	Log *slog.Logger
	// Dialled is called with every attempt to connect; nil counts none.
	Dialled func(at sshroute.Place, ok bool)
}

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	set(&c.Sessions, 8)
	set(&c.Handshakes, 16)
	set(&c.DialTimeout, 5*time.Second)
	set(&c.HandshakeTimeout, 10*time.Second)
	set(&c.KeepAlive, 15*time.Second)
	set(&c.KeepBytes, 256<<10)
	set(&c.StopBytes, 256<<20)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Dialled == nil {
		c.Dialled = func(sshroute.Place, bool) {}
	}
	return c
}

func set[T int | int64 | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// New reads credentials and known hosts and returns a pool that has no
// connection yet. Its error names everything that is wrong with the
// configuration. The pool must be closed, by Close or by the end of Maintain.
func New(c Config) (*Pool, error) {
	c = c.withDefaults()
	sets, err := openCredentials(c)
	known := &knownHosts{path: c.KnownHosts, log: c.Log}
	_, _, knownErr := known.current()
	if err := errors.Join(err, knownErr); err != nil {
		return nil, err
	}
	return newPool(c, sets, known), nil
}

// credentials are the sets that are offered: one for all hosts, and one for each
// place that has its own.
type credentials struct {
	common *credential.Set
	own    map[sshroute.Place]*credential.Set
}

// at is what a place is offered.
func (c credentials) at(place sshroute.Place) *credential.Set {
	if own, ok := c.own[place]; ok {
		return own
	}
	return c.common
}

// all lists every set once.
func (c credentials) all() []*credential.Set {
	list := []*credential.Set{c.common}
	for _, own := range c.own {
		list = append(list, own)
	}
	return list
}

// openCredentials reads all credentials. Where they cannot be used, or one has
// expired, and a command renews them, that runs once first.
func openCredentials(c Config) (credentials, error) {
	sets, err := readCredentials(c)
	if len(c.Renew) == 0 || err == nil && !anyExpired(sets, time.Now()) {
		return sets, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), renewTimeout)
	defer cancel()
	renewErr := renew(ctx, c.Renew)
	switch {
	case renewErr == nil:
		return readCredentials(c)
	case err == nil:
		c.Log.Warn("ssh: certificates were not renewed", "error", renewErr)
		return sets, nil
	default:
		return sets, errors.Join(err, renewErr)
	}
}

func readCredentials(c Config) (credentials, error) {
	sets := credentials{own: map[sshroute.Place]*credential.Set{}}
	var problems []error
	var err error
	if sets.common, err = credential.Open(c.Credentials); err != nil {
		problems = append(problems, err)
	}
	for place, o := range c.Options {
		if o.Credentials == nil {
			continue
		}
		own, err := credential.Open(o.Credentials)
		if err != nil {
			problems = append(problems, fmt.Errorf("for %s: %w", place.Address, err))
			continue
		}
		sets.own[place] = own
	}
	return sets, errors.Join(problems...)
}
