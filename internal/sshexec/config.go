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

// Config configures a Pool. Credentials and KnownHosts are required; everything else has a default.
type Config struct {
	// Credentials are offered to hosts in this order.
	Credentials []sshroute.Credential
	// KnownHosts is an OpenSSH known_hosts file. It is read again when it changes, so a new host
	// needs no restart.
	KnownHosts string
	// Options has the places with settings of their own, including jump hosts.
	Options map[sshroute.Place]sshroute.Options
	// Renew is a command that renews the user certificates before one expires; nil for none.
	Renew []string
	// Handshakes is the number of concurrent logins; it spreads the dials after a network outage.
	// Default 16.
	Handshakes int
	// Sessions is the number of concurrent commands over one connection. Default 8, which is below
	// sshd's default MaxSessions of 10.
	Sessions int
	// DialTimeout limits the TCP connection. Default 5 s.
	DialTimeout time.Duration
	// HandshakeTimeout limits key exchange and login together, and each keep-alive. Default 10 s.
	HandshakeTimeout time.Duration
	// BusyPause is the pause before the first retry if a host has too many logins. The pause
	// doubles with each retry. Default 400 ms.
	BusyPause time.Duration
	// KeepAlive is how long a connection may be idle before it is checked. Default 15 s.
	KeepAlive time.Duration
	// KeepBytes is how many bytes are kept from the beginning of each stream, and how many from its
	// end. Default 256 KiB.
	KeepBytes int
	// StopBytes is how many bytes a command may write before it is stopped. Default 256 MiB.
	StopBytes int64
	// Log receives events of connections; nil discards them.
	Log *slog.Logger
	// Dialled is called after every attempt to connect; may be nil.
	Dialled func(at sshroute.Place, ok bool)
}

// Limits that are not configured.
const (
	// maxConns is the largest number of connections to one host. With the default of 8 sessions
	// each, 32 commands run on a host at a time.
	maxConns = 4
	// jumpLimit means no limit: sshd does not count forwarded connections.
	jumpLimit = 1 << 20
	// idleKeep is how long an additional connection to a host stays open when idle.
	idleKeep = 5 * time.Minute
	// slotWait is how long a command waits for a free session, including dialling, before it fails
	// unsent.
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

// New reads credentials and known hosts and returns a pool without connections. Its error names
// every problem of the configuration. The pool must be closed, by Close or by the end of Maintain.
func New(c Config) (*Pool, error) {
	c = c.withDefaults()
	sets, err := openCredentials(c)
	known, knownErr := hostkey.Open(c.KnownHosts, c.Log)
	if err := errors.Join(err, knownErr); err != nil {
		return nil, err
	}
	return newPool(c, sets, known), nil
}

// credentials are the sets of credentials: one for all hosts, and one for each place that has its
// own credentials.
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

// openCredentials reads all credentials. If a credential cannot be used or a certificate has
// expired, it runs the renewal command once and reads the credentials again.
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
