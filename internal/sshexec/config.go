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
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"
)

// Config is how a Pool reaches its hosts. KeyFiles and KnownHosts are needed;
// everything else has a default.
type Config struct {
	// KeyFiles are private keys in OpenSSH or PEM form, without passphrase,
	// readable by their owner alone. They are offered in this order.
	KeyFiles []string
	// KnownHosts is an OpenSSH known_hosts file. It is read again when it
	// has changed, so that a new host needs no restart.
	KnownHosts string
	// ProxyJump is a host "user@host:port" through which all others are
	// reached, under the same rules; "" reaches them directly.
	ProxyJump string
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
}

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	set(&c.Sessions, 8)
	set(&c.DialTimeout, 5*time.Second)
	set(&c.HandshakeTimeout, 10*time.Second)
	set(&c.KeepAlive, 15*time.Second)
	set(&c.KeepBytes, 256<<10)
	set(&c.StopBytes, 256<<20)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func set[T int | int64 | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// jump reads ProxyJump; the zero key means that there is none.
func (c Config) jump() (key, error) {
	if c.ProxyJump == "" {
		return key{}, nil
	}
	login, address, ok := strings.Cut(c.ProxyJump, "@")
	if !ok || login == "" || address == "" {
		return key{}, fmt.Errorf("ssh proxy jump %q: write it as user@host:port", c.ProxyJump)
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(address, "22")
	}
	return key{login: login, address: address, jump: true}, nil
}

// New reads keys and known hosts and returns a pool that has no connection
// yet. Its error names everything that is wrong with the configuration. The
// pool must be closed, by Close or by the end of Maintain.
func New(c Config) (*Pool, error) {
	c = c.withDefaults()
	signers, err := readKeys(c.KeyFiles)
	known := &knownHosts{path: c.KnownHosts}
	_, knownErr := known.current()
	jump, jumpErr := c.jump()
	if err := errors.Join(err, knownErr, jumpErr); err != nil {
		return nil, err
	}
	return newPool(c, signers, known, jump), nil
}
