package logging

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
)

func TestLinesCarryTheirIDs(t *testing.T) {
	var b bytes.Buffer
	log, err := New(&b, Options{Level: "info", Format: JSON})
	if err != nil {
		t.Fatal(err)
	}
	ctx := WithRun(WithCommand(t.Context(), "slash/1"), "R-7F3K")
	for _, c := range []struct {
		name         string
		log          func()
		command, run string
	}{
		{"with ids", func() { log.With("part", "engine").InfoContext(ctx, "x") }, "slash/1", "R-7F3K"},
		{"the newest id", func() { log.WarnContext(WithRun(ctx, "R-AAAA"), "x") }, "slash/1", "R-AAAA"},
		{"the line's own id", func() { log.ErrorContext(ctx, "x", "run", "R-BBBB") }, "slash/1", "R-BBBB"},
		{"no ids", func() { log.InfoContext(context.Background(), "x") }, "", ""},
	} {
		b.Reset()
		c.log()
		var line struct{ Command, Run string }
		if err := json.Unmarshal(b.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v: %s", c.name, err, b.String())
		}
		if line.Command != c.command || line.Run != c.run || strings.Count(b.String(), `"run"`) > 1 {
			t.Errorf("%s: %s", c.name, b.String())
		}
	}
}

func TestLevelAndFormat(t *testing.T) {
	var b bytes.Buffer
	log, err := New(&b, Options{Level: "warn", Format: Text})
	if err != nil {
		t.Fatal(err)
	}
	log.Info("quiet")
	log.Warn("loud")
	if got := b.String(); strings.Contains(got, "quiet") || !strings.Contains(got, "level=WARN msg=loud") {
		t.Errorf("log: %s", got)
	}
	for _, o := range []Options{{"loud", JSON}, {"info", "xml"}, {"", JSON}, {"info", ""}, {"info+2", JSON}} {
		if _, err := New(&b, o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}
