package slackio

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"dhbot/internal/slackio/manifest"
)

// slackSchema is Slack's published schema of app manifests, if it is available
// next to the repository.
const slackSchema = "../../../shared/facts/slack-manifest.schema.json"

func TestManifestIsWhatSlackAccepts(t *testing.T) {
	data, err := os.ReadFile(slackSchema)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("Slack's schema is not available: ", slackSchema)
	}
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	s := schema{root: root}
	for _, name := range []string{"dh", strings.Repeat("x", 35)} {
		b, err := manifest.For(name)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		for _, problem := range s.check("manifest", root, v) {
			t.Error(problem)
		}
	}
	// The schema check does find errors.
	for _, bad := range []string{
		`{}`, `{"display_information":{"name":""}}`, `{"display_information":{"name":"dh","nonsense":1}}`,
		`{"display_information":{"name":"dh"},"features":{"slash_commands":[{"command":"dh","description":"x"}]}}`,
		`{"display_information":{"name":"dh"},"settings":{"socket_mode_enabled":"yes"}}`,
		`{"display_information":{"name":"dh"},"settings":{"event_subscriptions":{"bot_events":["a","a"]}}}`,
	} {
		var v any
		if err := json.Unmarshal([]byte(bad), &v); err != nil {
			t.Fatal(err)
		}
		if len(s.check("manifest", root, v)) == 0 {
			t.Errorf("accepted: %s", bad)
		}
	}
}

func TestManifestAsksForWhatTheBotUses(t *testing.T) {
	b, err := manifest.For("dh")
	if err != nil {
		t.Fatal(err)
	}
	var m manifest.Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if !m.Settings.Socket || !m.Settings.Interactivity.On || !m.Features.Home.HomeTab || m.Features.Home.ReadOnly {
		t.Errorf("a setting is wrong: %+v", m)
	}
	if len(m.Features.Slash) != 1 || m.Features.Slash[0].Command != "/dh" {
		t.Errorf("slash commands: %+v", m.Features.Slash)
	}
	for _, need := range []string{"chat:write", "commands", "app_mentions:read", "users:read", "channels:read", "groups:read", "im:history", "im:read", "im:write", "mpim:read", "files:write", "reactions:read", "reactions:write"} {
		if !slices.Contains(m.OAuth.Scopes.Bot, need) {
			t.Errorf("the scope %s is missing", need)
		}
	}
	for _, need := range []string{"app_mention", "app_home_opened", "message.im", "reaction_added", "reaction_removed"} {
		if !slices.Contains(m.Settings.Events.Bot, need) {
			t.Errorf("the event %s is missing", need)
		}
	}
	for _, name := range []string{"", strings.Repeat("x", 36), "d\nh", "d\x1b[1mh"} {
		if _, err := manifest.For(name); err == nil {
			t.Errorf("accepted the name %q", name)
		}
	}
}

// schema checks values against the part of JSON Schema that Slack's schema
// uses. An unknown keyword in the schema is reported as a problem.
type schema struct{ root map[string]any }

func (s schema) check(at string, rule map[string]any, v any) (problems []string) {
	bad := func(format string, args ...any) {
		problems = append(problems, at+": "+fmt.Sprintf(format, args...))
	}
	for _, key := range slices.Sorted(maps.Keys(rule)) {
		arg := rule[key]
		switch key {
		case "$ref":
			name := path.Base(arg.(string))
			problems = append(problems, s.check(at, s.root["definitions"].(map[string]any)[name].(map[string]any), v)...)
		case "type":
			if kind := kindOf(v); kind != arg && (arg != "integer" || kind != "number") {
				bad("is %s, want %v", kind, arg)
			}
		case "enum":
			if !slices.Contains(arg.([]any), v) {
				bad("%v is none of %v", v, arg)
			}
		case "minLength", "maxLength", "pattern", "regex":
			text, ok := v.(string)
			if ok && !lengthOrPattern(key, arg, text) {
				bad("%q breaks %s %v", text, key, arg)
			}
		case "minItems", "maxItems", "uniqueItems":
			list, ok := v.([]any)
			if ok && !countOf(key, arg, list) {
				bad("%d items break %s %v", len(list), key, arg)
			}
		case "items":
			list, _ := v.([]any)
			for i, item := range list {
				problems = append(problems, s.check(fmt.Sprintf("%s[%d]", at, i), arg.(map[string]any), item)...)
			}
		case "required":
			object, _ := v.(map[string]any)
			for _, need := range arg.([]any) {
				if _, ok := object[need.(string)]; !ok {
					bad("%v is missing", need)
				}
			}
		case "properties":
			problems = append(problems, s.properties(at, rule, v)...)
		case "additionalProperties", "description", "title", "default", "format", "definitions", "$schema":
		default:
			bad("the schema has a keyword that is not checked: %s", key)
		}
	}
	return problems
}

func (s schema) properties(at string, rule map[string]any, v any) (problems []string) {
	object, _ := v.(map[string]any)
	known := rule["properties"].(map[string]any)
	for name, value := range object {
		sub, ok := known[name].(map[string]any)
		switch {
		case ok:
			problems = append(problems, s.check(at+"."+name, sub, value)...)
		case rule["additionalProperties"] == false:
			problems = append(problems, at+"."+name+" is not known to Slack")
		}
	}
	return problems
}

func kindOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "number"
	default:
		return "null"
	}
}

func lengthOrPattern(key string, arg any, text string) bool {
	switch key {
	case "minLength":
		return utf8.RuneCountInString(text) >= int(arg.(float64))
	case "maxLength":
		return utf8.RuneCountInString(text) <= int(arg.(float64))
	default:
		return regexp.MustCompile(arg.(string)).MatchString(text)
	}
}

func countOf(key string, arg any, list []any) bool {
	switch key {
	case "minItems":
		return len(list) >= int(arg.(float64))
	case "maxItems":
		return len(list) <= int(arg.(float64))
	default:
		seen := map[string]bool{}
		for _, v := range list {
			seen[fmt.Sprint(v)] = true
		}
		return arg != true || len(seen) == len(list)
	}
}
