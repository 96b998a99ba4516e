package handlers

import (
	"context"
	"time"

	"dhbot/auth"
)

// person is a person of the config whose account the platform has confirmed.
type person struct {
	auth.Person
	Account     auth.Account
	silentSince time.Time // auth.Profile.SilentSince
}

// How old an answer about a person may be: for reads a moment, for whatever
// changes something not at all.
const (
	recent = 30 * time.Second
	fresh  = 0
)

// identify asks the platform who an account is, and the rules whether they
// know it.
func (s *Base) identify(ctx context.Context, a auth.Account, maxAge time.Duration) (person, error) {
	profile, err := s.Directory.Lookup(ctx, a, maxAge)
	if err != nil {
		s.Logger.WarnContext(ctx, "lookup failed", "account", a.String(), "err", err)
		return person{}, &auth.Refusal{Code: auth.LookupFailed, Text: "Not allowed: I could not find out who you are, and so cannot let you in. Please try again."}
	}
	profile.Account = a // the lookup was for a, whatever the answer names
	p, err := s.Rules.Identify(profile)
	return person{Person: p, Account: a, silentSince: profile.SilentSince}, err
}

// author is who wrote a message. Only a terminal vouches for a local account,
// and for no other.
func (s *Base) author(ctx context.Context, m Message, maxAge time.Duration) (person, error) {
	if (m.Via == Terminal) != (m.Account.Team == auth.LocalTeam) {
		return person{}, &auth.Refusal{Code: auth.LookupFailed, Text: "Not allowed: this account is not verified here."}
	}
	return s.identify(ctx, m.Account, maxAge)
}
