package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// escalating returns the example config, with the given escalation for the cluster prod.
func escalating(t *testing.T, escalation string) string {
	t.Helper()
	data, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const before = "    watch: {channel: C0INCIDENT, every: 30s, quiet: 2m}\n"
	text := strings.Replace(string(data), before, before+"    escalation: "+escalation+"\n", 1)
	if text == string(data) {
		t.Fatal("the example has no watch line")
	}
	return text
}

func TestEscalation(t *testing.T) {
	c, problems := Parse("dhbot.yaml", []byte(escalating(t, "{people: [chris], level: 2, page: {shape: pagerduty, routing_key_file: k}}")))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	e := c.Escalations["prod"]
	if e.After != 5*time.Minute || e.Level != 2 || len(e.People) != 1 || e.Page == nil || e.Page.After != 10*time.Minute ||
		e.Page.URL.Reveal() != "https://events.pagerduty.com/v2/enqueue" {
		t.Errorf("%+v, page %+v", e, e.Page)
	}
	if lines := strings.Join(c.EscalationLines(), "\n"); !strings.Contains(lines, "prod escalates incidents without an owner, and Sev 1 requests that no one approved or denied, after 5m to chris, after 10m to PagerDuty") {
		t.Error(lines)
	}
	for wrong, says := range map[string]string{
		"{}":                                          "notifies no one",
		"{people: [nobody]}":                          "there is no person",
		"{group: oncall}":                             "not a user group id",
		"{group: S0X1, people: [chris]}":              "both set",
		"{people: [chris], after: 1s}":                "escalation.after",
		"{people: [chris], level: 4}":                 "escalation.level",
		"{people: [chris], page: {shape: pagerduty}}": "routing key is missing",
		"{people: [chris], page: {shape: opsgenie, url: 'https://x/y'}}":                    "no pager API",
		"{people: [chris], page: {shape: alertmanager}}":                                    "address of Alertmanager is missing",
		"{people: [chris], page: {shape: alertmanager, url: 'http://10.0.0.9/api'}}":        "be sent unencrypted",
		"{people: [chris], page: {shape: alertmanager, url: 'https://u:p@x/api'}}":          "contains a password",
		"{people: [chris], page: {shape: alertmanager, url: 'https://x/api', url_file: f}}": "url and url_file",
		"{people: [chris], page: {after: 2m, shape: alertmanager, url: 'https://x/api'}}":   "before the people are mentioned",
	} {
		if _, problems := Parse("dhbot.yaml", []byte(escalating(t, wrong))); problems.Err() == nil || !strings.Contains(problems.Error(), says) {
			t.Errorf("%s: %v", wrong, problems)
		}
	}
}

// The secrets of a pager are read only from files that no one else can read, and are
// printed nowhere.
func TestPageSecrets(t *testing.T) {
	dir := site(t)
	put := func(name, text string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	at := filepath.Join(dir, "dhbot.yaml")
	if err := replace(at, "    catalog: current\n", "    catalog: current\n    escalation: {page: {shape: pagerduty, url_file: hook, routing_key_file: key}}\n"); err != nil {
		t.Fatal(err)
	}
	put("hook", "https://hooks.example.com/s3cret\n", 0o600)
	put("key", "R0UTINGKEY\n", 0o600)
	c, problems := Load(at, bothTokens)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if p := c.Escalations["prod"].Page; p.URL.Reveal() != "https://hooks.example.com/s3cret" || p.RoutingKey.Reveal() != "R0UTINGKEY" {
		t.Error("a secret was not read")
	}
	put("hook", "http://hooks.example.com/s3cret\n", 0o600)
	if _, problems = Load(at, bothTokens); !strings.Contains(problems.Error(), "unencrypted") || strings.Contains(problems.Error(), "s3cret") {
		t.Errorf("an address without TLS in the file: %v", problems)
	}
	put("hook", "https://hooks.example.com/s3cret\n", 0o644)
	put("key", "R0UTINGKEY\n", 0o640)
	_, problems = Load(at, bothTokens)
	for _, want := range []string{"page.url_file: others can read", "page.routing_key_file: others can read"} {
		if !strings.Contains(problems.Error(), want) {
			t.Errorf("%s is missing in %v", want, problems)
		}
	}
}
