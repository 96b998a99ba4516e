package call

import (
	"context"
	"time"

	"dhbot/auth"
)

// Person is a person of the config whose account the platform has confirmed.
type Person struct {
	auth.Person
	Account     auth.Account
	SilentSince time.Time // auth.Profile.SilentSince
}

// How old an answer about a person may be: for reads a moment, for whatever
// changes something not at all.
const (
	Recent = 30 * time.Second
	Fresh  = 0
)

// Identify asks the platform who an account is, and the rules whether they
// know it.
func (s *Base) Identify(ctx context.Context, a auth.Account, maxAge time.Duration) (Person, error) {
	profile, err := s.Directory.Lookup(ctx, a, maxAge)
	if err != nil {
		s.Logger.WarnContext(ctx, "lookup failed", "account", a.String(), "err", err)
		return Person{}, &auth.Refusal{Code: auth.LookupFailed, Text: "Not allowed: I could not find out who you are, and so cannot let you in. Please try again."}
	}
	profile.Account = a // the lookup was for a, whatever the answer names
	p, err := s.Rules.Identify(profile)
	return Person{Person: p, Account: a, SilentSince: profile.SilentSince}, err
}

// Author is who wrote a message. Only a terminal vouches for a local account,
// and for no other.
func (s *Base) Author(ctx context.Context, m Message, maxAge time.Duration) (Person, error) {
	if (m.Via == Terminal) != (m.Account.Team == auth.LocalTeam) {
		return Person{}, &auth.Refusal{Code: auth.LookupFailed, Text: "Not allowed: this account is not verified here."}
	}
	return s.Identify(ctx, m.Account, maxAge)
}

// StillAllowed is how old an answer about a person may be who follows
// something.
const StillAllowed = 5 * time.Minute
