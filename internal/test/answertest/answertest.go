// Package answertest has real answers of monit, systemctl and etcdctl, and real application logs,
// as hosts returned them.
package answertest

import (
	"embed"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"dhbot/internal/remote"
)

//go:embed testdata
var testdata embed.FS

// Noon is the time, by the bot's clock, at which every sample was answered.
var Noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// Sample is one real answer of a tool.
type Sample struct {
	Cmd    string
	Result remote.Result
}

// Read reads an archive of testdata. Each answer is classified as package remote would
// classify it.
func Read(t testing.TB, archive string) map[string]Sample {
	t.Helper()
	data, err := testdata.ReadFile("testdata/" + archive + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	a := txtar.Parse(data)
	out := map[string]Sample{}
	for _, f := range a.Files {
		name, part := path.Split(f.Name)
		name = strings.TrimSuffix(name, "/")
		if name == "" {
			continue // a sequence of outputs, not one answer
		}
		s := out[name]
		text := string(f.Data)
		switch part {
		case "cmd":
			s.Cmd = strings.TrimSpace(text)
		case "rc":
			if s.Result.Exit, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		case "stdout":
			s.Result.Stdout = Output(text)
		case "stderr":
			s.Result.Stderr = Output(text)
		}
		out[name] = s
	}
	for name, s := range out {
		s.Result.Outcome, s.Result.Ended = remote.Answered, Noon
		s.Result = remote.Classify(remote.Command{Sent: s.Cmd}, s.Result)
		out[name] = s
	}
	return out
}

// Output returns a text as the complete output of a command on one stream.
func Output(s string) remote.Output {
	return remote.Output{Head: []byte(s), Total: int64(len(s))}
}

// Of returns a successful result with this standard output.
func Of(stdout string) remote.Result {
	return remote.Result{Outcome: remote.Answered, Stdout: Output(stdout), Ended: Noon}
}

// Field returns the answers of testdata/field.txtar, not yet classified.
func Field(t *testing.T) map[string]remote.Result {
	t.Helper()
	out := map[string]remote.Result{}
	for name, s := range Read(t, "field") {
		s.Result.Outcome, s.Result.Detail = remote.Answered, ""
		out[name] = s.Result
	}
	return out
}

// Exited returns a result with this exit code and output.
func Exited(code int, stdout, stderr string) remote.Result {
	r := Of(stdout)
	r.Exit, r.Stderr = code, Output(stderr)
	return r
}

// Holds checks that a text has every wanted part and none of the parts in lacks. It returns "", or
// says what is wrong with the first such part, for example "lacks x" or "holds x".
func Holds(text string, want []string, lacks []string) string {
	for _, w := range want {
		if !strings.Contains(text, w) {
			return "lacks " + w
		}
	}
	for _, l := range lacks {
		if strings.Contains(text, l) {
			return "holds " + l
		}
	}
	return ""
}

// Setlocale is a warning that login shells print.
const Setlocale = "bash: warning: setlocale: LC_ALL: cannot change locale (en_US.UTF-8)\n"

// Block is a monit answer about one process.
func Block(service, status, monitoring, pid, uptime, collected string) string {
	b := "Monit 5.33.0 uptime: 1m\n\nProcess '" + service + "'\n" +
		"  status                       " + status + "\n" +
		"  monitoring status            " + monitoring + "\n"
	if pid != "" {
		b += "  pid                          " + pid + "\n"
	}
	if uptime != "" {
		b += "  uptime                       " + uptime + "\n"
	}
	return b + "  data collected               " + collected + "\n\n"
}

// At is a time on the day of the samples.
func At(hms string) time.Time {
	t, err := time.Parse(time.DateTime, "2026-11-21 "+hms)
	if err != nil {
		panic(err)
	}
	return t
}
