package sshexec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/remote"
)

// failure says why a command was not sent.
type failure struct {
	outcome remote.Outcome
	text    string // what happened and what to do next, with the address
	busy    bool   // too many logins on the host; a retry may help
}

func (f *failure) Error() string { return f.text }

// errClosed is the error for a command after the pool was closed.
var errClosed = &failure{outcome: remote.NoOutcome, text: "the pool of SSH connections is closed"}

// dialFailure explains a failed TCP connection.
func dialFailure(address string, limit time.Duration, err error) *failure {
	var dns *net.DNSError
	var jump *ssh.OpenChannelError
	text := ""
	switch {
	case errors.As(err, &dns):
		text = fmt.Sprintf("the name in %s does not resolve: check the host's address in the config", address)
	case errors.Is(err, syscall.ECONNREFUSED):
		text = fmt.Sprintf("%s refused the connection: check that sshd runs there", address)
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		text = fmt.Sprintf("%s did not answer within %v: check that the host is up, and the network on the way to it", address, limit)
	case errors.As(err, &jump):
		text = fmt.Sprintf("the jump host could not connect to %s: check that it is up, that sshd runs there, and that the jump host forwards connections", address)
	default:
		text = fmt.Sprintf("no connection to %s: %v", address, err)
	}
	return &failure{outcome: remote.Unreachable, text: text}
}

// handshakeFailure explains a failed handshake. The explanation depends on how far the login got.
func handshakeFailure(k key, c *ssh.ClientConfig, limit time.Duration, l *login, err error) *failure {
	var own *failure
	var negotiation *ssh.AlgorithmNegotiationError
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, context.DeadlineExceeded):
		return &failure{outcome: remote.Unreachable, text: fmt.Sprintf(
			"%s accepted the connection and then sent nothing for %v: check whether the host is frozen", k.address, limit)}
	case errors.As(err, &negotiation) && slices.Equal(negotiation.SupportedAlgorithms, c.HostKeyAlgorithms):
		return &failure{outcome: remote.HostKeyWrong, text: fmt.Sprintf(
			"the host key of %s has changed (the host has no key of the known type %s): unless the host was reinstalled, suspect an attack; once sure, replace its line in the known_hosts file",
			k.address, c.HostKeyAlgorithms[0])}
	case errors.As(err, &negotiation):
		return &failure{outcome: remote.Unreachable, text: nothingCommon(k, negotiation, l.wire.beginning())}
	case l.verified.Load():
		return l.refused(k, err)
	case l.named() == "" && isLost(err) && !isTimeout(err):
		return &failure{outcome: remote.Unreachable, busy: !strings.Contains(l.greeting(), penalty), text: fmt.Sprintf(
			"%s closed the connection before the SSH handshake%s: too many logins at once (sshd's MaxStartups), a penalty for failed logins (PerSourcePenalties), or a firewall",
			k.address, l.greeting())}
	default:
		return &failure{outcome: remote.Unreachable, text: fmt.Sprintf("the SSH handshake with %s failed: %v", k.address, err)}
	}
}

// penalty is what sshd writes while it blocks an address because of failed logins.
const penalty = "Not allowed at this time"

// disconnected matches the SSH library's error if the host ended a login with a message.
var disconnected = regexp.MustCompile(`disconnect, reason \d+: (.+)$`)

// refused explains why a host refused the login after its host key was accepted.
func (l *login) refused(k key, err error) *failure {
	allowed, partial, offer := l.state()
	message := ""
	if m := disconnected.FindStringSubmatch(err.Error()); m != nil {
		message = m[1]
	}
	text := ""
	switch {
	case strings.Contains(strings.ToLower(message), "too many authentication failures"):
		shown, of := offer.Offered()
		text = fmt.Sprintf("%s stopped after %d of our %d keys (its MaxAuthTries): put the right key first in ssh.key_file or ssh.credentials; %s", k.address, shown, of, offer)
	case message != "":
		text = fmt.Sprintf("%s ended the login of %s: %s", k.address, k.login, message)
	case len(partial) > 0:
		text = fmt.Sprintf("%s accepted the key of %s and requires another factor (%s): exempt the login from it", k.address, k.login, strings.Join(allowed, " or "))
	case len(allowed) > 0 && !slices.Contains(allowed, "publickey"):
		text = fmt.Sprintf("%s accepts no keys from %s, only %s: allow PubkeyAuthentication for this login", k.address, k.login, strings.Join(allowed, ", "))
	case isTimeout(err):
		return &failure{outcome: remote.Unreachable, text: fmt.Sprintf("the connection to %s was lost while we logged in: %v", k.address, err)}
	case isLost(err):
		text = fmt.Sprintf("%s closed the connection while %s logged in: the account may be locked, expired or denied by PAM; the host's authentication log says which", k.address, k.login)
	default:
		text = fmt.Sprintf("%s refused the login of %s; %s. Check that the login is right, that the login's authorized_keys has the bot's public key or that a trusted CA signed the bot's certificate, that the account is neither locked nor expired, and that the host accepts keys, not only certificates", k.address, k.login, offer)
	}
	return &failure{outcome: remote.LoginRefused, text: text + l.bannerReason()}
}

// isLost reports whether an error means that the connection ended. It is false if the host refused
// something.
func isLost(err error) bool {
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &network)
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}
