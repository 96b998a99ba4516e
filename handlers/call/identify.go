package call

import (
	"context"
	"time"

	"dhbot/auth"
)

// Person is a person of the config with a confirmed account.
type Person struct {
	auth.Person
	Account     auth.Account
	SilentSince time.Time // auth.Profile.SilentSince
}

// The maximum age of the platform's last answer about a person: a short time for reads, zero for
// changes.
const (
	Recent = 30 * time.Second
	Fresh  = 0
)

// Identify looks up an account on the platform, and its person in the config.
func (s *Base) Identify(ctx context.Context, a auth.Account, maxAge time.Duration) (Person, error) {
	profile, err := s.Directory.Lookup(ctx, a, maxAge)
	if err != nil {
		s.Logger.WarnContext(ctx, "account lookup failed", "account", a.String(), "err", err)
		return Person{}, auth.Refuse(auth.LookupFailed, "I could not find out who you are. Please try again.")
	}
	profile.Account = a // the account that was looked up, even if the answer has another
	p, err := s.Rules.Identify(profile)
	return Person{Person: p, Account: a, SilentSince: profile.SilentSince}, err
}

// Author returns the author of a message. A message from a terminal must have a local account;
// other messages must not have one.
func (s *Base) Author(ctx context.Context, m Message, maxAge time.Duration) (Person, error) {
	if (m.Via == Terminal) != (m.Account.Team == auth.LocalTeam) {
		return Person{}, auth.Refuse(auth.LookupFailed, "this account is not verified here.")
	}
	return s.Identify(ctx, m.Account, maxAge)
}

// StillAllowed is the maximum age of the platform's last answer about a person who has a watch or
// owns an incident.
const StillAllowed = 5 * time.Minute
