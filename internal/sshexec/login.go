package sshexec

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/remote"
	"dhbot/internal/sshexec/credential"
)

// login is what was seen of one log-in, for the words about its failure.
type login struct {
	verified atomic.Bool // the host key was accepted
	wire     *wire

	mu      sync.Mutex
	allowed []string // the methods that the host would take next
	partial []string // the methods that succeeded and were not enough
	banner  string
	offer   *credential.Offer // nil before the host asked for keys
}

// offered keeps what is offered, and returns its keys.
func (l *login) offered(o *credential.Offer, k key) ([]ssh.Signer, error) {
	l.mu.Lock()
	l.offer = o
	l.mu.Unlock()
	signers := o.Signers()
	if len(signers) == 0 {
		return nil, &failure{outcome: remote.LoginRefused, text: fmt.Sprintf("nothing to log in to %s with; %s", k.address, o)}
	}
	return signers, nil
}

// end lets go of agents.
func (l *login) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.offer != nil {
		l.offer.Close()
	}
}

// watch has the client tell what it sees.
func (l *login) watch(c *ssh.ClientConfig) {
	c.AuthCallback = func(seen *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.allowed, l.partial = slices.Clone(seen.AllowedMethods), slices.Clone(seen.PartialSuccessMethods)
		return nil, nil
	}
	c.BannerCallback = func(message string) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.banner) < maxBanner {
			l.banner += message
		}
		return nil
	}
}

// maxBanner is how much of a host's banner is kept, in bytes.
const maxBanner = 4 << 10

func (l *login) state() (allowed, partial []string, offer *credential.Offer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.allowed, l.partial, l.offer
}

// named is the version with which the host named itself; "" before it did.
func (l *login) named() string {
	for line := range strings.Lines(l.wire.beginning()) {
		if strings.HasPrefix(line, "SSH-") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// greeting is what the host wrote before it named itself, as " (…)".
func (l *login) greeting() string {
	if line := strings.Join(strings.Fields(l.wire.beginning()), " "); line != "" {
		return " (it wrote: " + line + ")"
	}
	return ""
}

// said is the last line of the host's banner, in which PAM says why it refuses,
// as " (…)".
func (l *login) said() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(l.banner), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" && len(last) < 200 {
		return " (it wrote: " + last + ")"
	}
	return ""
}
