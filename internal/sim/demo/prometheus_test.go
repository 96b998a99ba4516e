package demo_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"dhbot/internal/sim/demo"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/test/testenv"
)

// scraper is a Prometheus that scrapes the bot twice a second. It has the shipped rules, but
// without their "for" durations.
type scraper struct{ address string }

func startPrometheus(t *testing.T, bot string) scraper {
	t.Helper()
	program := testenv.Program(t, "prometheus")
	rules, err := os.ReadFile("../../../packaging/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rules = regexp.MustCompile(`(?m)^(\s+for: ).*$`).ReplaceAll(rules, []byte("${1}500ms"))
	dir := t.TempDir()
	config := fmt.Sprintf(`
global: {scrape_interval: 500ms, evaluation_interval: 500ms}
rule_files: [rules.yaml]
scrape_configs:
  - job_name: dhbot
    static_configs: [{targets: [%q]}]
`, bot)
	for name, text := range map[string]string{"prometheus.yml": config, "rules.yaml": string(rules)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := scraper{address: testenv.FreeAddress(t, "127.0.0.1")}
	cmd := exec.CommandContext(t.Context(), program, "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+s.address)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return s
}

// query returns the series that an instant query finds. Each series is a map of its labels, with
// its value under "value".
func (s scraper) query(ctx context.Context, expr string) ([]map[string]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/api/v1/query?query="+url.QueryEscape(expr), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Status string
		Error  string
		Data   struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Status != "success" {
		return nil, errors.New(answer.Error)
	}
	var out []map[string]string
	for _, r := range answer.Data.Result {
		labels := maps.Clone(r.Metric)
		labels["value"] = fmt.Sprint(r.Value[1])
		out = append(out, labels)
	}
	return out, nil
}

// await waits until a query returns at least one series if some is true, and no series otherwise.
func (s scraper) await(ctx context.Context, expr string, some bool) error {
	_, err := s.until(ctx, expr, func(list []map[string]string) bool { return (len(list) > 0) == some })
	return err
}

// until repeats a query until its series are right. On a busy machine a scrape can fail, and then
// the series are missing until the next scrape.
func (s scraper) until(ctx context.Context, expr string, right func([]map[string]string) bool) (list []map[string]string, err error) {
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(250 * time.Millisecond) {
		if list, err = s.query(ctx, expr); err == nil && right(list) {
			return list, nil
		}
	}
	return nil, fmt.Errorf("%s: got %v, %w", expr, list, cmp.Or(err, errors.New("which is not expected")))
}

func firing(alert string) string {
	return fmt.Sprintf(`ALERTS{alertname=%q,alertstate="firing"}`, alert)
}

// A real Prometheus scrapes a bot that is in use. Alerts fire for injected faults and clear
// afterwards.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	address := testenv.FreeAddress(t, "127.0.0.1")
	prometheus := startPrometheus(t, address)
	o := demo.Options{Generation: "current", Pace: 0.1, Watch: true, Metrics: address, Log: warnings(t)}
	err := demo.Run(t.Context(), o, func(ctx context.Context, d *demo.Demo) error {
		play := func(script string) error {
			lines, err := demo.ParseScript(strings.NewReader(script))
			if err != nil {
				return err
			}
			stage := d.Stage()
			stage.Out = io.Discard
			return demo.Play(ctx, stage, lines)
		}
		if err := play("operator: /dh restart db_ltds because heap was full\nexpect 90s Done\n"); err != nil {
			return err
		}
		script := func(text string) func() error { return func() error { return play(text) } }
		for _, c := range []struct {
			alert        string
			plant, clear func() error
		}{
			{"DhbotProcessCritical", script("host infra-1 db_dis stop\n"), script("host infra-1 db_dis clear\nhost infra-1 db_dis start\n")},
			{"DhbotProcessUnknown", script("host query-2 - down\n"), script("host query-2 - clear\n")},
			{"DhbotHearsNothing", func() error {
				return errors.Join(
					d.Slack.Inject(slacklocal.Fault{Kind: "api-error", Error: "fatal_error", Count: -1}),
					d.Slack.Inject(slacklocal.Fault{Kind: "disconnect", Each: true}))
			}, func() error { return d.Slack.Inject(slacklocal.Fault{Kind: "clear"}) }},
		} {
			if err := prometheus.await(ctx, firing(c.alert), false); err != nil {
				return fmt.Errorf("before: %w", err)
			}
			if err := errors.Join(c.plant(), prometheus.await(ctx, firing(c.alert), true)); err != nil {
				return fmt.Errorf("%s: planted: %w", c.alert, err)
			}
			if err := errors.Join(c.clear(), prometheus.await(ctx, firing(c.alert), false)); err != nil {
				return fmt.Errorf("%s: cleared: %w", c.alert, err)
			}
		}
		return prometheus.holds(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := prometheus.await(t.Context(), firing("DhbotDown"), true); err != nil {
		t.Error(err)
	}
}

// holds checks the scraped metrics. A run must be counted as done, at least 30 metrics must exist,
// and no label may contain text that a user typed.
func (s scraper) holds(ctx context.Context) error {
	if err := s.await(ctx, `dhbot_runs_ended_total{outcome="done"} > 0`, true); err != nil {
		return err
	}
	list, err := s.until(ctx, `{__name__=~"dhbot_.+"}`, func(list []map[string]string) bool { return len(metricNames(list)) >= 30 })
	if err != nil {
		return err
	}
	for _, labels := range list {
		for k, v := range labels {
			if strings.Contains(v, "heap") {
				return fmt.Errorf("%s: label %s has text that a person typed: %q", labels["__name__"], k, v)
			}
		}
	}
	return nil
}

func metricNames(list []map[string]string) map[string]bool {
	names := map[string]bool{}
	for _, labels := range list {
		names[labels["__name__"]] = true
	}
	return names
}
