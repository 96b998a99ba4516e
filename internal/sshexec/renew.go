package sshexec

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"dhbot/internal/sshexec/credential"
)

const (
	// renewTimeout limits one run of the command that renews certificates.
	renewTimeout = time.Minute
	// renewAgain is the delay before a retry after a failed run.
	renewAgain = time.Minute
	// renewBefore is how long before its end a certificate is renewed. A certificate with a
	// lifetime of less than three times renewBefore is renewed in the last third of its lifetime.
	renewBefore = time.Hour
)

// renew runs the command that renews certificates. The output is discarded, because it may contain
// a token.
func renew(ctx context.Context, argv []string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = withoutSlack(os.Environ())
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("ssh.renew (%s) failed: %w; run it by hand as the bot's user to see why", argv[0], err)
	}
	return nil
}

// withoutSlack removes the bot's Slack tokens (SLACK_…) from an environment.
func withoutSlack(env []string) []string {
	return slices.DeleteFunc(env, func(pair string) bool { return strings.HasPrefix(pair, "SLACK_") })
}

// renewals runs the renewal command whenever a certificate is about to expire.
func (p *Pool) renewals() {
	tick := time.NewTicker(p.cfg.KeepAlive)
	defer tick.Stop()
	var notBefore time.Time
	for {
		select {
		case <-p.ctx.Done():
			return
		case now := <-tick.C:
			if now.Before(notBefore) || !dueAny(p.login, now) {
				continue
			}
			ctx, cancel := context.WithTimeout(p.ctx, renewTimeout)
			err := renew(ctx, p.cfg.Renew)
			cancel()
			if err == nil && dueAny(p.login, time.Now()) {
				err = fmt.Errorf("ssh.renew (%s) succeeded, but the certificate still expires soon", p.cfg.Renew[0])
			}
			p.renewed(err)
			if err != nil {
				notBefore = time.Now().Add(renewAgain)
			}
		}
	}
}

// renewed stores whether the last renewal failed, for Expiring.
func (p *Pool) renewed(err error) {
	p.mu.Lock()
	p.renewErr = err
	p.mu.Unlock()
	if err != nil {
		p.cfg.Log.Warn("ssh: certificates were not renewed", "error", err)
		return
	}
	p.cfg.Log.Info("ssh: certificates renewed")
}

func dueAny(sets credentials, now time.Time) bool {
	return slices.ContainsFunc(certificates(sets), func(c credential.Certificate) bool { return due(c, now) })
}

// due reports whether it is time to renew a certificate.
func due(c credential.Certificate, now time.Time) bool {
	if c.End.IsZero() {
		return false
	}
	before := min(renewBefore, c.End.Sub(c.From)/3)
	return !now.Before(c.End.Add(-before))
}

func anyExpired(sets credentials, now time.Time) bool {
	return slices.ContainsFunc(certificates(sets), func(c credential.Certificate) bool {
		return !c.End.IsZero() && !now.Before(c.End)
	})
}

func certificates(sets credentials) []credential.Certificate {
	var out []credential.Certificate
	for _, set := range sets.all() {
		for _, c := range set.Certificates(0) {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// Expiry is a message about a certificate that has expired or expires soon, or about a failed
// renewal.
type Expiry struct {
	Text string
	// Urgent means that the certificate has expired or expires within an hour, or that a renewal
	// has failed.
	Urgent bool
}

// These are the remaining lifetimes at which people are warned about a certificate.
const (
	expiresSoon = 7 * 24 * time.Hour
	expiresNow  = time.Hour
)

// Expiring lists the user certificates that have expired or expire within seven days, and a failed
// renewal. If there is a renewal command, a certificate is listed only when its renewal is overdue.
func (p *Pool) Expiring(now time.Time) []Expiry {
	var out []Expiry
	for _, c := range certificates(p.login) {
		left := c.End.Sub(now)
		renews := len(p.cfg.Renew) > 0 && !due(c, now)
		switch {
		case c.End.IsZero() || left > expiresSoon || renews && left > 0:
		case left <= 0:
			out = append(out, Expiry{Text: fmt.Sprintf("SSH %s expired %s: hosts refuse it; renew it", c.Name, utc(c.End)), Urgent: true})
		default:
			text := fmt.Sprintf("SSH %s expires in %s, %s: renew it", c.Name, about(left), utc(c.End))
			out = append(out, Expiry{Text: text, Urgent: left <= expiresNow})
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.renewErr != nil {
		out = append(out, Expiry{Text: p.renewErr.Error(), Urgent: true})
	}
	return out
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// about formats a duration roughly, in days, hours or minutes.
func about(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
}
