package slackio

import "log/slog"

// Secret is a token. Whatever prints it, prints "<redacted>".
type Secret string

const redacted = "<redacted>"

// String hides the token.
func (Secret) String() string { return redacted }

// GoString hides the token from %#v.
func (Secret) GoString() string { return redacted }

// MarshalText hides the token from every encoder of text, JSON included.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue hides the token from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
