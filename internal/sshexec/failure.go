package sshexec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/remote"
)

// failure is why a command was not sent.
type failure struct {
	outcome remote.Outcome
	text    string // what happened and what to do next, naming the address
}

func (f *failure) Error() string { return f.text }

// errClosed is what a closed pool answers.
var errClosed = &failure{remote.NoOutcome, "the pool of SSH connections is closed"}

// dialFailure says why no TCP connection came about.
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
		text = fmt.Sprintf("%s did not answer within %v: check that the host is up and the network between", address, limit)
	case errors.As(err, &jump):
		text = fmt.Sprintf("the jump host did not get through to %s: check that it is up, that sshd runs there, and that the jump host forwards connections", address)
	default:
		text = fmt.Sprintf("no connection to %s: %v", address, err)
	}
	return &failure{remote.Unreachable, text}
}

// handshakeFailure says why a connection did not become an SSH session of
// ours. verified says that the host key had already been accepted.
func handshakeFailure(k key, c *ssh.ClientConfig, limit time.Duration, verified bool, err error) *failure {
	var own *failure
	var negotiation *ssh.AlgorithmNegotiationError
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, context.DeadlineExceeded):
		return &failure{remote.Unreachable, fmt.Sprintf(
			"%s took the connection and then said nothing for %v: the host may be frozen", k.address, limit)}
	case errors.As(err, &negotiation) && slices.Equal(negotiation.SupportedAlgorithms, c.HostKeyAlgorithms):
		return &failure{remote.HostKeyWrong, fmt.Sprintf(
			"the host key of %s has changed (it has none of the known type %s): unless the host was reinstalled, somebody may be between you and it; once sure, replace its line in the known_hosts file",
			k.address, c.HostKeyAlgorithms[0])}
	case verified && !isLost(err):
		return &failure{remote.LoginRefused, fmt.Sprintf(
			"%s does not let %s in with our key: check the login, and that our public key is in its authorized_keys", k.address, k.login)}
	default:
		return &failure{remote.Unreachable, fmt.Sprintf("the SSH handshake with %s failed: %v", k.address, err)}
	}
}

// isLost says that a connection ended, rather than that somebody said no.
func isLost(err error) bool {
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &network)
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}
