package handlers

import (
	"testing"

	"dhbot/handlers/call"
	"dhbot/internal/command"
	"dhbot/internal/command/parser"
)

// TestOnlyReads: only plain reads are unclaimed, and an unclaimed message changes nothing.
func TestOnlyReads(t *testing.T) {
	h := newTestService(t)
	for _, cmd := range h.Commands() {
		m := h.message("UANNA", cmd.Verb+" "+map[command.Object]string{
			command.AnyTarget: "db_dis", command.ProcessNamed: "db_ltds", command.RunNamed: "R-7F3K db_dis", command.HostNamed: "infra-1", command.CommandNamed: "restart db_ltds",
		}[cmd.Object])
		if h.Receive(m).OnlyReads && cmd.Class.Changing() {
			t.Errorf("%q changes something and would not be claimed", m.Text)
		}
		m.Unclaimed = true
		if _, err := parser.Parse(&h.Grammar, parser.Input{Text: m.Text, Channel: m.Channel}); err != nil {
			continue // not configured here
		}
		if a := h.handleMessage(m); cmd.Class.Changing() && a.code() != call.StoreDown {
			t.Errorf("%q, unclaimed: %q", m.Text, a.all())
		}
	}
	if n := len(h.openRuns(t)); n != 0 {
		t.Errorf("%d runs were made for messages without a claim", n)
	}
	for text, want := range map[string]bool{
		"status db_dis": true, "STATUS “dis”": true, "help": true, "": true,
		"restart db_dis": false, "stattus db_dis": false, "status db_dsi": false, "approve R-7F3K db_dis": false,
	} {
		if got := h.Receive(h.message("UANNA", text)).OnlyReads; got != want {
			t.Errorf("OnlyReads(%q) = %v", text, got)
		}
	}
	for _, edited := range []bool{false, true} { // an edit runs nothing
		m := h.message("UANNA", "status db_dis")
		m.Via, m.Edited = call.Mention, edited
		if got := h.Receive(m).OnlyReads; got == edited {
			t.Errorf("a mention, edited %t: %t", edited, got)
		}
	}
	tap := h.message("UANNA", "status db_dis")
	tap.Via = call.Button
	if h.Receive(tap).OnlyReads {
		t.Error("a tap went unclaimed")
	}
}
