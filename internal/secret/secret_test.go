package secret_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"dhbot/internal/secret"
)

// No verb and no encoding prints a secret text, however deep it is nested in other values.
func TestIsNeverPrinted(t *testing.T) {
	const word = "hunter2"
	s := secret.New(word)
	holder := struct {
		Public secret.Text
		hidden secret.Text
	}{s, s}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		for _, held := range []any{s, &s, holder, &holder, []secret.Text{s}, map[string]secret.Text{"k": s}} {
			fmt.Fprintf(&out, verb+"\n", held)
		}
	}
	if err := json.NewEncoder(&out).Encode(map[string]any{"s": s, "in": holder}); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "s", s, "in", holder)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "s", s, "in", holder)
	for _, shown := range []string{word, fmt.Sprintf("%x", word), fmt.Sprintf("%X", word)} {
		if strings.Contains(out.String(), shown) {
			t.Errorf("%q is in %s", shown, out.String())
		}
	}
	if !strings.Contains(out.String(), "<redacted>") {
		t.Error("the output does not show that something was hidden")
	}
	if holder.hidden.Reveal() != word || s.IsZero() || !(secret.Text{}).IsZero() {
		t.Error("Reveal or IsZero is wrong")
	}
}
