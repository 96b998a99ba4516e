package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"dhbot/internal/engine"
	"dhbot/internal/local/localshell"
)

// The output for programs has the same data in each format.
func TestOutputFormats(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"plan", "FLAGS", "restart", "db_dis"}, {"catalog", "FLAGS"}, {"version", "FLAGS"}} {
		with := func(flags ...string) string {
			list := append([]string{args[0]}, flags...)
			code, stdout, stderr := bot(t.Context(), append(list, args[2:]...)...)
			if code != exitDone {
				t.Fatalf("%v: code %d: %s", list, code, stderr)
			}
			return stdout
		}
		var fromJSON, fromYAML any
		if err := json.Unmarshal([]byte(with("--output", "json")), &fromJSON); err != nil {
			t.Fatal(err)
		}
		text := with("-o", "yaml")
		if err := yaml.Unmarshal([]byte(text), &fromYAML); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		again, err := json.Marshal(fromYAML)
		if err != nil {
			t.Fatal(err)
		}
		var back any
		if err := json.Unmarshal(again, &back); err != nil || !reflect.DeepEqual(fromJSON, back) {
			t.Errorf("%v: YAML and JSON differ: %v", args, err)
		}
		if with("--json") != with("--output=json") {
			t.Errorf("%v: --json is not --output json", args)
		}
		if with() != with("-o", "table") {
			t.Errorf("%v: the default output is not the table", args)
		}
	}
	if code, _, stderr := bot(t.Context(), "catalog", "-o", "xml"); code != exitMisuse || !strings.Contains(stderr, "table, json, yaml") {
		t.Errorf("-o xml: code %d: %s", code, stderr)
	}
}

// The exit code of a command that did not succeed shows whether it may have acted.
func TestExitCodesOfOutcomes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		end  localshell.End
		code int
	}{
		{localshell.End{State: string(engine.Failed)}, exitFailed},
		{localshell.End{State: string(engine.Partly)}, exitFailed},
		{localshell.End{State: string(engine.Unknown)}, exitUnknown},
		{localshell.End{State: string(engine.Closed)}, exitUnknown},
		{localshell.End{State: string(engine.Denied)}, exitRefused},
		{localshell.End{State: string(engine.Expired)}, exitRefused},
		{localshell.End{State: string(engine.Refused)}, exitRefused},
		{localshell.End{State: string(engine.Cancelled)}, exitRefused},
		{localshell.End{Why: "not understood"}, exitRefused},
		{localshell.End{Unsure: true}, exitUnknown},
		{localshell.End{Run: "R-7F3K", Why: "the run is no longer followed"}, exitUnknown},
		{localshell.End{Confirm: true}, exitConfirm},
	} {
		if got := codeOf(c.end); got != c.code {
			t.Errorf("%+v ends with %d, want %d", c.end, got, c.code)
		}
	}
}
