package sshexec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dhbot/internal/sshexec/credential"
	"dhbot/internal/sshexec/hostkey"
	"dhbot/internal/sshroute"
)

// Config configures a Pool. Only Credentials and KnownHosts are required.
type Config struct {
	// Credentials are offered to each host in this order.
	Credentials []sshroute.Credential
	// KnownHosts is the path of an OpenSSH known_hosts file. The pool reads the file again when it
	// changes, so a new host needs no restart.
	KnownHosts string
	// Options has the places, including jump hosts, that have settings of their own.
	Options map[sshroute.Place]sshroute.Options
	// Renew is a command that renews the user certificates before they expire, or nil.
	Renew []string
	// Handshakes is the maximum number of concurrent logins, which spreads the load after a network
	// outage. Default 16.
	Handshakes int
	// Sessions is the maximum number of concurrent commands over one connection. Default 8, because
	// sshd's default MaxSessions is 10.
	Sessions int
	// DialTimeout limits how long the TCP connection takes to open. Default 5 s.
	DialTimeout time.Duration
	// HandshakeTimeout limits the key exchange and the login together. It also limits each
	// keep-alive. Default 10 s.
	HandshakeTimeout time.Duration
	// BusyPause is the pause before the first retry, if a host is busy with too many logins. The
	// pause doubles with each retry. Default 400 ms.
	BusyPause time.Duration
	// KeepAlive is how long a connection may be idle before it is checked. Default 15 s.
	KeepAlive time.Duration
	// KeepBytes is how many bytes of each output stream are kept from its beginning, and how many
	// from its end. Default 256 KiB.
	KeepBytes int
	// StopBytes is how many bytes a command may write before it is stopped. Default 256 MiB.
	StopBytes int64
	// Log receives events about connections. If it is nil, they are discarded.
	Log *slog.Logger
	// Dialled is called after every attempt to connect. It may be nil.
	Dialled func(at sshroute.Place, ok bool)
}

// Limits that are not configured.
const (
	// maxConns is the maximum number of connections to one host. With 8 sessions for each
	// connection, 32 commands run on a host at a time.
	maxConns = 4
	// jumpLimit replaces the limit of sessions on a jump host's connection. It is practically no
	// limit, because sshd does not count forwarded connections.
	jumpLimit = 1 << 20
	// idleKeep is how long a surplus connection to a host may be idle before it is closed.
	idleKeep = 5 * time.Minute
	// slotWait is how long a command waits for a free session. The time includes dialling. A
	// command that waits longer fails without being sent.
	slotWait = 30 * time.Second
)

// withDefaults sets the defaults.
func (c Config) withDefaults() Config {
	set(&c.Sessions, 8)
	set(&c.Handshakes, 16)
	set(&c.DialTimeout, 5*time.Second)
	set(&c.HandshakeTimeout, 10*time.Second)
	set(&c.BusyPause, 400*time.Millisecond)
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

// New reads the credentials and the known hosts, and returns a pool without connections. The error
// names every problem of the configuration. The pool must be closed, by Close or by the end of
// Maintain.
func New(c Config) (*Pool, error) {
	c = c.withDefaults()
	sets, err := openCredentials(c)
	known, knownErr := hostkey.Open(c.KnownHosts, c.Log)
	if err := errors.Join(err, knownErr); err != nil {
		return nil, err
	}
	return newPool(c, sets, known), nil
}

// credentials holds the credentials for all hosts, and those of places that have their own.
type credentials struct {
	common *credential.Set
	own    map[sshroute.Place]*credential.Set
}

// at returns the credentials for a place.
func (c credentials) at(place sshroute.Place) *credential.Set {
	if own, ok := c.own[place]; ok {
		return own
	}
	return c.common
}

// all returns every set once.
func (c credentials) all() []*credential.Set {
	list := []*credential.Set{c.common}
	for _, own := range c.own {
		list = append(list, own)
	}
	return list
}

// openCredentials reads all credentials. If one cannot be used or has expired, it runs the renewal
// command once, and reads all again.
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
