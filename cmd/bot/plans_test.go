package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dhbot/runbooks"
)

// requested has arguments for actions. With them, the plan of an action contains every part of the
// action's command.
var requested = map[string][]string{
	"logs": {"lines=7"}, "stdout-log": {"lines=7"}, "tableacls": {"rows=7"},
	"etcd-get": {"prefix=/main/config/schema/"}, "etcd-keys": {"prefix=/main/config/schema/"},
	"backup": {"parts=routing"}, "backup-retain": {"parts=routing", "days=30"},
	"pq-import":         {"file=pq-20260209-140607-k3x7qa.xml", "retain=keep"},
	"pq-import-replace": {"file=pq-20260209-140607-k3x7qa.xml"},
	"intraday-cleanup":  {"namespace=Order", "table=Event", "partition=*", "date=2018-02-09"},
	"webapi-enable":     {}, "dh-monit-restart-all": {"query-1"}, "restart-host": {"query-1"}, "property-files": {"query-1"},
}

var hole = regexp.MustCompile(`\\\{[a-zA-Z_.\\]+\\\}`)

// TestPlansHaveTheCommandsOfThePages makes the plan of every action of every process of both
// generations with `bot plan --json`, as a script would. The file seeds.tsv lists the commands in
// Deephaven's documentation. The steps must have the listed command on each of its hosts, with the
// file and line of the page.
func TestPlansHaveTheCommandsOfThePages(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("..", "..", "runbooks", "catalogs", "testdata", "seeds.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	plans := map[string]runbooks.PlanView{}
	asked := 0
	for row := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSuffix(row, "\n"), "\t")
		if strings.HasPrefix(row, "#") {
			continue
		}
		catalog, process, action := f[0], strings.TrimPrefix(f[1], "-"), strings.TrimPrefix(f[2], "=")
		if action == "log" {
			action = "restart"
		}
		args := append([]string{"plan", "--json", "--catalog", catalog, action}, process)
		if process == "" || action == "intraday-cleanup" { // this action exists for one process only
			args = args[:len(args)-1]
		}
		args = append(args, requested[action]...)
		switch f[1] + " " + action {
		case "etcd logs":
			args = append(args, "since=1h")
		case "etcd stop":
			args = append(args, "on", "query-1") // etcd is never stopped on all hosts at once
		}
		key := strings.Join(args, " ")
		plan, known := plans[key]
		if !known {
			code, stdout, stderr := bot(t.Context(), args...)
			if code != 0 {
				t.Errorf("bot %s: %s", key, stderr)
				continue
			}
			if err := json.Unmarshal([]byte(stdout), &plan); err != nil {
				t.Fatal(err)
			}
			plans[key] = plan
			asked++
		}
		plain := strings.NewReplacer(`'`, "")
		want := regexp.MustCompile("^" + hole.ReplaceAllString(regexp.QuoteMeta(plain.Replace(f[3])), ".+") + "$")
		hosts := map[string]bool{}
		for _, s := range plan.Steps {
			if s.Source == f[4] && want.MatchString(plain.Replace(s.Command)) {
				hosts[s.Host] = true
			}
			if s.Kind != runbooks.Manual && (s.Source == "" || s.Timeout == nil) {
				t.Errorf("bot %s: %q has no source or no time-out", key, s.Command)
			}
		}
		if process == "" {
			if len(hosts) == 0 {
				t.Errorf("bot %s: no step is %s, from %s", key, f[3], f[4])
			}
			continue
		}
		for _, target := range plan.Targets {
			if !hosts[target.Host] {
				t.Errorf("bot %s: on %s no step is %s, from %s", key, target.Host, f[3], f[4])
			}
		}
	}
	if asked < 200 {
		t.Errorf("only %d plans were made", asked)
	}
}
