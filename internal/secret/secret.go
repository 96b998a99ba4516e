package secret

import (
	"fmt"
	"log/slog"
)

// redacted is what a Text prints.
const redacted = "<redacted>"

// Text is a token or password. fmt, JSON, YAML and slog print it as "<redacted>", and only Reveal
// returns the text. The text is behind a pointer, so code that prints a struct by reflection shows
// at most an address.
type Text struct{ text *string }

// New hides a text.
func New(text string) Text { return Text{&text} }

// Reveal returns the secret itself. Call it only where the secret is used.
func (s Text) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Text) IsZero() bool { return s.Reveal() == "" }

// String hides the secret.
func (Text) String() string { return redacted }

// GoString hides the secret from %#v.
func (Text) GoString() string { return redacted }

// Format prints "<redacted>" for every verb.
func (Text) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText returns "<redacted>", so that encoders such as JSON do not print the secret.
func (Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON hides the secret from JSON.
func (Text) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue hides the secret from slog.
func (Text) LogValue() slog.Value { return slog.StringValue(redacted) }
