package screen

import (
	"bytes"
	"os"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// Only a terminal gets colours. The words are the same with and without colours.
func TestColours(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	if got := paintFor(new(bytes.Buffer), none)("Sev 1"); got != "Sev 1" {
		t.Errorf("a buffer gets colours: %q", got)
	}
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := paintFor(f, none)("Sev 1"); got != "Sev 1" {
		t.Errorf("a file gets colours: %q", got)
	}
	const text = "Sev 1 db_dis on infra-1: Failed\nSev 0 db_ltds: Done in 3 s"
	if got := coloured(text); got == text || ansi.Strip(got) != text {
		t.Errorf("painted: %q", got)
	}
}
