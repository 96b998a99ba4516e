package app

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/internal/metrics"
)

// A refused config is a line of health until one is accepted.
func TestRefusedConfigInHealth(t *testing.T) {
	read := metrics.Reload{OK: true, At: time.Unix(1e9, 0)}
	b := &bot{Config: Config{Reload: func() metrics.Reload { return read }}}
	if text := b.refusedConfig(); text != "" {
		t.Errorf("an accepted config: %s", text)
	}
	read.OK, read.Refused, read.Why = false, time.Unix(1e9+60, 0), "line 3: there is no process db_diss"
	text := b.refusedConfig()
	for _, part := range []string{"read at 9 Sep 01:47:40 UTC was refused", "the config of 9 Sep 01:46:40 UTC stays", read.Why, "bot check"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
	if h := (Health{Config: text}); !slices.Contains(h.Lines(), text) {
		t.Errorf("lines %v do not contain the refused config", h.Lines())
	}
}
