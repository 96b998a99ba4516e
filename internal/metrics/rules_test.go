package metrics

// These tests check that the alert rules and the dashboard use only metrics that the bot has.

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"dhbot/internal/test/testenv"
)

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// rulesDir is the directory of the alert rules and the dashboard.
const rulesDir = "../../packaging/prometheus/"

// metricName matches the names of the bot's metrics, in rules, in queries and in the Go code.
var (
	metricName = regexp.MustCompile(`dhbot_([a-z_]+)`)
	suffix     = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// TestMetricsExist checks that every metric in the rules and the dashboard is registered.
func TestMetricsExist(t *testing.T) {
	code := readFile(t, "metrics.go") + readFile(t, "snapshot.go")
	for _, file := range []string{"alerts.yaml", "alerts_test.yaml", "dashboard.json"} {
		names := metricName.FindAllStringSubmatch(readFile(t, rulesDir+file), -1)
		if len(names) < 10 {
			t.Errorf("%s uses only %d metrics", file, len(names))
		}
		for _, m := range names {
			if name := suffix.ReplaceAllString(m[1], ""); !strings.Contains(code, `"`+name+`"`) {
				t.Errorf("%s uses dhbot_%s, which the bot does not have", file, name)
			}
		}
	}
}

// TestEveryRuleIsTested checks that the tests of the rules make each alert fire and clear.
func TestEveryRuleIsTested(t *testing.T) {
	tests := readFile(t, rulesDir+"alerts_test.yaml")
	for _, m := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(readFile(t, rulesDir+"alerts.yaml"), -1) {
		if n := strings.Count(tests, `alertname="`+m[1]+`"`); n != 3 {
			t.Errorf("%s is evaluated %d times, want before, during and after", m[1], n)
		}
	}
}

func TestRules(t *testing.T) {
	promtool := testenv.Program(t, "promtool") // of Debian's package prometheus
	for _, args := range [][]string{{"check", "rules", rulesDir + "alerts.yaml"}, {"test", "rules", rulesDir + "alerts_test.yaml"}} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

func TestDashboardIsJSON(t *testing.T) {
	var d struct{ Panels []struct{ Title string } }
	if err := json.Unmarshal([]byte(readFile(t, rulesDir+"dashboard.json")), &d); err != nil || len(d.Panels) < 15 {
		t.Errorf("%d panels, %v", len(d.Panels), err)
	}
}
