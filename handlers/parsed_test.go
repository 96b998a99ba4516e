package handlers

import (
	"testing"
)

// A command is parsed once. The Request made on arrival is executed.
func TestParsedOnce(t *testing.T) {
	h := newTestService(t)
	m := h.message("UANNA", "help")
	m.Parsed = h.Receive(h.message("UANNA", "locks"))
	a := &answers{}
	h.Handle(t.Context(), m, a)
	if got := a.all(); got != h.handleMessage(h.message("UANNA", "locks")).all() {
		t.Errorf("answered %q, as if it were parsed again", got)
	}
}
