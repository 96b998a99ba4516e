package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/fleet"
	"dhbot/internal/local/localshell"
	"dhbot/internal/observe"
	"dhbot/internal/sim/demo"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/sudoers"
	"dhbot/internal/test/cardtest"
	"dhbot/internal/test/keytest"
	"dhbot/internal/test/labtest"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// surfaces is a running bot with the hosts of the lab, and every way to query the bot about a
// process.
type surfaces struct {
	*testing.T
	bot *demo.Demo
	key string
}

// TestLabSurfaces puts two processes of the lab into each state and queries the whole bot. Each
// command of `bot do` must have the same finding, and Slack must show it, in answers and on Home,
// at the same severity. The test takes minutes (.ci/long, section lab).
func TestLabSurfaces(t *testing.T) {
	hosts := labtest.Hosts(t)
	if os.Getenv("DHBOT_LAB_ALL") == "" {
		t.Skip("DHBOT_LAB_ALL is unset: this takes minutes")
	}
	labtest.Quick(t, hosts)
	key, public := keytest.File(t)
	real := labCluster(t, hosts)
	o := demo.Options{Generation: "current", Real: &real, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Keys: map[string]string{"operator": public}}
	err := demo.Run(t.Context(), o, func(_ context.Context, d *demo.Demo) error {
		broken := []runbooks.Target{{Process: "db_dis", Host: "infra"}, {Process: "db_query_server", Host: "query1"}}
		on := map[string][]string{}
		neighbours := map[string][]string{}
		for _, b := range broken {
			on[b.Host] = append(on[b.Host], b.Process)
			neighbours[b.Host] = []string{"log_aggregator_service"}
		}
		labtest.On(t, on, labtest.Again)
		for _, st := range labtest.States() {
			t.Run(st.Name, func(t *testing.T) {
				s := &surfaces{T: t, bot: d, key: key}
				s.well()
				t.Cleanup(func() {
					labtest.On(t, on, st.Mend)
					if st.Neighbour != "" {
						labtest.On(t, neighbours, labtest.Again)
					}
				})
				if st.Neighbour != "" {
					labtest.On(t, neighbours, labtest.HangInStart)
				}
				labtest.On(t, on, st.Break)
				s.agree(broken)
			})
		}
		t.Run("a dependency is down", func(t *testing.T) {
			s := &surfaces{T: t, bot: d, key: key}
			s.well()
			auth := map[string][]string{"infra": {"authentication_server"}}
			t.Cleanup(func() { labtest.On(t, auth, labtest.Again) })
			labtest.On(t, auth, labtest.States()[0].Break)
			var behind []runbooks.Target
			for _, f := range s.do("status").Findings {
				if f.Code == observe.FoundCannotWork && f.Host == "infra" && len(behind) < 3 {
					behind = append(behind, runbooks.Target{Process: f.Process, Host: f.Host})
				}
			}
			if len(behind) == 0 {
				t.Fatal("no process depends on it")
			}
			s.agree(append(behind, runbooks.Target{Process: "authentication_server", Host: "infra"}))
		})
		(&surfaces{T: t, bot: d, key: key}).well()
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// labCluster is the lab's cluster, with the bot's account there.
func labCluster(t *testing.T, hosts map[string]labtest.Host) demo.Real {
	const account = "dhbotsurfaces"
	query := []string{"log_aggregator_service", "tailer1", "db_tdcp", "db_query_server", "etcd"}
	infra := []string{
		"configuration_server", "authentication_server", "db_acl_write_server", "iris_controller", "log_aggregator_service", "tailer1",
		"db_dis", "db_merge_server", "db_ltds", "db_tdcp", "status_dashboard", "web_api_service", "etcd", "mariadb",
	}
	cl := fleet.Cluster{Name: "prod", Catalog: "current", ACLs: fleet.ACLsInEtcd}
	for _, name := range []string{"infra", "query1", "query2"} {
		h := fleet.Host{Name: name, Address: hosts[name].Address, Login: account, Processes: query}
		if name == "infra" {
			h.Processes = infra
		}
		cl.Hosts = append(cl.Hosts, h)
	}
	catalogs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	catalog, _ := catalogs.Get(cl.Catalog)
	files := map[string]string{}
	for i := range cl.Hosts {
		f, err := sudoers.For(catalog, &cl, &cl.Hosts[i], sudoers.Options{User: account})
		if err != nil {
			t.Fatal(err)
		}
		files[cl.Hosts[i].Name] = f.String()
	}
	labtest.Least(t, account, files)
	return demo.Real{Cluster: cl, KeyFile: hosts["infra"].KeyFile, KnownHosts: hosts["infra"].KnownHosts}
}

// patience limits each wait.
const patience = 4 * time.Minute

// within calls f until it returns no problems.
func (s *surfaces) within(what string, f func() []string) {
	s.Helper()
	var wrong []string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Second) {
		if wrong = f(); len(wrong) == 0 {
			return
		}
	}
	s.Fatalf("%s:\n%s", what, strings.Join(wrong, "\n"))
}

// well waits until every process of the lab is as expected.
func (s *surfaces) well() {
	s.Helper()
	s.within("the lab is not well", func() (wrong []string) {
		for _, f := range s.do("status").Findings {
			if f.Severity != runbooks.None {
				wrong = append(wrong, fmt.Sprintf("%s on %s: %s, %s", f.Process, f.Host, f.Severity, f.Code))
			}
		}
		return wrong
	})
}

// do returns the answer of `bot do --json` to a command.
func (s *surfaces) do(command ...string) *card.StatusFacts {
	s.Helper()
	_, out, errs := bot(s.Context(), append([]string{"do", "--config", s.bot.ConfigFile(), "--key", s.key, "--json"}, command...)...)
	var last *card.StatusFacts
	for line := range strings.Lines(out) {
		var e localshell.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			s.Fatalf("%q: %v", line, err)
		}
		if e.Facts != nil && e.Facts.Status != nil {
			last = e.Facts.Status
		}
	}
	if last == nil {
		s.Fatalf("bot do %s: no findings\n%s%s", strings.Join(command, " "), out, errs)
	}
	return last
}

// found is the finding about a process, for comparison.
type found struct {
	severity runbooks.Severity
	code     observe.Code
}

// of returns the finding about a target in an answer.
func of(b *card.StatusFacts, t runbooks.Target) found {
	i := slices.IndexFunc(b.Findings, func(f card.FindingFacts) bool { return f.Process == t.Process && f.Host == t.Host })
	if i < 0 {
		return found{runbooks.None, "no finding"}
	}
	return found{b.Findings[i].Severity, b.Findings[i].Code}
}

// agree waits until every surface shows the same about the broken processes. It retries, because a
// process may change between two queries; a real difference does not disappear.
func (s *surfaces) agree(broken []runbooks.Target) {
	s.Helper()
	s.within("the surfaces differ", func() (wrong []string) {
		cluster := s.do("status")
		home := s.home()
		all := s.slack("status")
		verified := s.slack("verify")
		for _, t := range broken {
			want := of(cluster, t)
			if want.severity == runbooks.None {
				wrong = append(wrong, fmt.Sprintf("status: %s is %s, %s", t, want.severity, want.code))
				continue
			}
			for what, command := range map[string][]string{
				"status X": {"status", t.Process, "on", t.Host}, "status HOST": {"status", t.Host}, "verify": {"verify"},
			} {
				if got := of(s.do(command...), t); got != want {
					wrong = append(wrong, fmt.Sprintf("bot do, %s: %s is %s, %s; %s, %s by status", what, t, got.severity, got.code, want.severity, want.code))
				}
			}
			for what, text := range map[string]string{
				"status": all, "verify": verified, "Home": home,
				"status X": s.slack("status " + t.Process + " on " + t.Host), "status HOST": s.slack("status " + t.Host),
			} {
				if !cardtest.Shows(text, t, want.severity, false) {
					wrong = append(wrong, fmt.Sprintf("Slack, %s: %s, %s, is not shown as such:\n%s", what, t, want.severity, text))
				}
			}
		}
		return wrong
	})
	s.Logf("%v: %v", broken, s.do("status").Severity)
}

// slack returns the final text of a command's answer in Slack.
func (s *surfaces) slack(command string) string {
	s.Helper()
	before, err := s.bot.Slack.Messages("incident", "operator")
	if err != nil {
		s.Fatal(err)
	}
	slash := slacklocal.SlashCommand{User: "operator", Channel: "incident", Command: "/dh", Text: command}
	if answer, err := s.bot.Slack.Slash(slash); err != nil || !answer.OK {
		s.Fatalf("Slack answers %q with %+v, %v", command, answer, err)
	}
	text := ""
	s.within(command+" is not answered", func() []string {
		now, err := s.bot.Slack.Messages("incident", "operator")
		if err != nil || len(now) <= len(before) {
			return []string{fmt.Sprint(len(now), " messages, ", err)}
		}
		text = shown(now[len(before)].Blocks)
		if strings.Contains(text, "no answer yet") || !strings.Contains(text, "as of") {
			return []string{text}
		}
		return nil
	})
	return text
}

// home returns the status on the operator's Home tab after an update.
func (s *surfaces) home() string {
	s.Helper()
	if _, err := s.bot.Slack.OpenHome("operator"); err != nil {
		s.Fatal(err)
	}
	text := ""
	s.within("Home is not shown", func() []string {
		_, home, err := s.bot.Slack.Views("operator")
		if err != nil {
			s.Fatal(err)
		}
		blocks, err := json.Marshal(home["blocks"])
		if err != nil {
			s.Fatal(err)
		}
		if text = shown(blocks); !strings.Contains(text, "as of") {
			return []string{text}
		}
		return nil
	})
	return text
}

// shown is the text of blocks, line by line.
func shown(blocks json.RawMessage) string {
	var list []any
	if json.Unmarshal(blocks, &list) != nil {
		return ""
	}
	var b strings.Builder
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if text, ok := v["text"].(string); ok {
				b.WriteString(text)
			} else {
				walk(v["text"])
			}
			if text, ok := v["fallback"].(string); ok {
				b.WriteString(text)
			}
			walk(v["elements"])
			if kind, _ := v["type"].(string); kind == "rich_text_section" || kind == "section" || kind == "context" || kind == "header" {
				b.WriteString("\n")
			}
		}
	}
	walk(list)
	return b.String()
}
