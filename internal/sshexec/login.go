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

// login records what happens during one login, to explain a failure.
type login struct {
	verified atomic.Bool // the host key was accepted
	wire     *wire

	mu      sync.Mutex
	allowed []string // the methods that the host accepts next
	partial []string // the methods that succeeded but were not enough
	banner  string
	offer   *credential.Offer // nil before the host requested keys
}

// offered records the credentials that are offered, and returns their keys.
func (l *login) offered(o *credential.Offer, k key) ([]ssh.Signer, error) {
	l.mu.Lock()
	l.offer = o
	l.mu.Unlock()
	signers := o.Signers()
	if len(signers) == 0 {
		return nil, &failure{outcome: remote.LoginRefused, text: fmt.Sprintf("the bot has no credential to log in to %s with; %s", k.address, o)}
	}
	return signers, nil
}

// end closes connections to agents.
func (l *login) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.offer != nil {
		l.offer.Close()
	}
}

// watch sets the client's callbacks that record the login.
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

// maxBanner is how many bytes of a host's banner are kept, approximately.
const maxBanner = 4 << 10

func (l *login) state() (allowed, partial []string, offer *credential.Offer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.allowed, l.partial, l.offer
}

// named returns the host's version line, or "" if it has not arrived.
func (l *login) named() string {
	for line := range strings.Lines(l.wire.beginning()) {
		if strings.HasPrefix(line, "SSH-") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// greeting returns what the host wrote before its version line, as " (…)", or "".
func (l *login) greeting() string {
	if line := strings.Join(strings.Fields(l.wire.beginning()), " "); line != "" {
		return " (it wrote: " + line + ")"
	}
	return ""
}

// bannerReason returns the last line of the host's banner, as " (…)", or "". PAM writes there why
// it refuses a login.
func (l *login) bannerReason() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(l.banner), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" && len(last) < 200 {
		return " (it wrote: " + last + ")"
	}
	return ""
}
