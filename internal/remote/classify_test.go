package remote

import (
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// odd has the samples whose outcome differs from what their exit code says. All
// other samples must stay unchanged.
var odd = map[string]Outcome{
	"sudo/list-batch-flag": SudoRefused,
	"sudo/list-restart":    SudoRefused,
	"sudo/list-setenv":     SudoRefused,
	"sudo/list-systemctl":  SudoRefused,
	"sudo/n-dhask":         SudoRefused,
	"sudo/n-dhweak":        SudoRefused,
	"sudo/plain-dhask":     SudoRefused,
	"sudo/plain-dhweak":    SudoRefused,
	"sudo/unknown-command": SudoRefused,
	"sudo/unknown-user":    SudoRefused,

	"monit-access/badpass-status":      SupervisorSilent,
	"monit-access/httpd-only-restart":  SupervisorSilent,
	"monit-access/httpd-only-status":   SupervisorSilent,
	"monit-access/httpd-only-status-2": SupervisorSilent,
	"monit-access/mode644-status":      SupervisorSilent,
	"monit-access/no-monitrc-reload":   SupervisorSilent,
	"monit-access/no-monitrc-restart":  SupervisorSilent,
	"monit-access/no-monitrc-status":   SupervisorSilent,
	"monit-access/nosudo-status":       SupervisorSilent,
	"monit-access/owner-status":        SupervisorSilent,

	"monit/daemon-down-reload":       SupervisorSilent,
	"monit/daemon-down-report":       SupervisorSilent,
	"monit/daemon-down-restart":      FateUnknown,
	"monit/daemon-down-root-reload":  SupervisorSilent,
	"monit/daemon-down-root-restart": FateUnknown,
	"monit/daemon-down-root-status":  SupervisorSilent,
	"monit/daemon-down-status":       SupervisorSilent,
	"monit/daemon-down-stop-unknown": SupervisorSilent,
	"monit/daemon-down-summary":      SupervisorSilent,
	"monit/daemon-hung-restart":      FateUnknown,
	"monit/daemon-hung-status":       SupervisorSilent,
	"monit/summary-initializing":     SupervisorSilent,

	"dh-fake/monit-reload-irisadmin": SupervisorSilent,
}

func TestClassifySamples(t *testing.T) {
	samples := readSamples(t)
	for name := range odd {
		if _, ok := samples[name]; !ok {
			t.Errorf("no sample %s", name)
		}
	}
	for name, r := range samples {
		want, isOdd := odd[name]
		if !isOdd {
			want = Answered
		}
		got := Classify(Command{Changes: strings.Contains(name, "restart")}, r)
		if got.Outcome != want {
			t.Errorf("%s: %v, want %v", name, got.Outcome, want)
		}
		if isOdd == (got.Detail == "") {
			t.Errorf("%s: detail %q", name, got.Detail)
		}
		if got.Exit != r.Exit || got.Stderr.String() != r.Stderr.String() || got.Stdout.String() != r.Stdout.String() {
			t.Errorf("%s: exit code or output changed", name)
		}
	}
}

func readSamples(t *testing.T) map[string]Result {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/samples.txtar")
	if err != nil {
		t.Fatal(err)
	}
	samples := make(map[string]Result)
	for _, f := range archive.Files {
		at := strings.LastIndexByte(f.Name, '/')
		name, stream := f.Name[:at], f.Name[at+1:]
		r := samples[name]
		r.Outcome = Answered
		switch stream {
		case "rc":
			if r.Exit, err = strconv.Atoi(strings.TrimSpace(string(f.Data))); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		case "stdout":
			r.Stdout = Output{Head: f.Data, Total: int64(len(f.Data))}
		case "stderr":
			r.Stderr = Output{Head: f.Data, Total: int64(len(f.Data))}
		default:
			t.Fatalf("unknown stream in %s", f.Name)
		}
		samples[name] = r
	}
	if len(samples) < 100 {
		t.Fatalf("only %d samples", len(samples))
	}
	return samples
}

// TestClassifyLines has messages that the samples lack, and similar lines that must not match.
func TestClassifyLines(t *testing.T) {
	const read, change = false, true
	for _, c := range []struct {
		name    string
		changes bool
		exit    int
		stdout  string
		stderr  string
		want    Outcome
	}{
		{"not permitted", read, 1, "", "Sorry, user ops is not allowed to execute '/usr/bin/monit status' as root on infra.\n", SudoRefused},
		{"not in sudoers", read, 1, "", "ops is not in the sudoers file.  This incident will be reported.\n", SudoRefused},
		{"refused by the wrapper", change, 1, "", "dhbot-sudo: not allowed\n", SudoRefused},
		{"requiretty", read, 1, "", "sudo: sorry, you must have a tty to run sudo\n", SudoRefused},
		{"no sudo", read, 127, "", "timeout: failed to run command 'sudo': No such file or directory\n", SudoRefused},
		{"broken sudoers", read, 1, "", "/etc/sudoers.d/ops:3:9: syntax error\nsudo: no valid sudoers sources found, quitting\n", SudoRefused},
		{"noise on stdout", read, 1, "NOTICE: maintenance\n", "sudo: a password is required\n", SudoRefused},
		{"warning, then refusal", read, 1, "", "sudo: unable to resolve host infra: Name or service not known\nsudo: a password is required\n", SudoRefused},
		{"warning only", read, 1, "", "sudo: unable to resolve host infra: Name or service not known\n", Answered},
		{"warning, program failed", read, 3, "", "sudo: unable to resolve host infra: Name or service not known\nUnit x could not be found.\n", Answered},
		{"program called sudo after acting", change, 1, "", "removed old file\nsudo: a password is required\n", Answered},
		{"refusal quoted on stdout", read, 1, "sudo: a password is required\n", "", Answered},
		{"refusal, exit 0", read, 0, "", "sudo: a password is required\n", Answered},
		{"old monit", read, 1, "", "monit: Status not available -- the monit daemon is not running\n", SupervisorSilent},
		{"bad control file", read, 1, "", "/etc/monit/monitrc:5: syntax error 'foo'\n", SupervisorSilent},
		{"monit error quoted on stdout", read, 1, "Monit: the monit daemon is not running\n", "", Answered},
		{"no bus", read, 1, "", "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down\n", SupervisorSilent},
		{"systemd late, read", read, 1, "", "Failed to get properties: Connection timed out\n", SupervisorSilent},
		{"systemd late, change", change, 1, "", "Failed to restart dh-etcd.service: Connection timed out\n", FateUnknown},
		{"systemd refused", change, 4, "", "Failed to restart dh-etcd.service: Access denied\n", Answered},
		{"a log that quotes monit", read, 0, "[UTC] info : 'db_tdcp' trying to restart\n", "", Answered},
		{"a word alone", read, 0, "Monit daemon is not running\n", "", Answered},
	} {
		r := Result{Outcome: Answered, Exit: c.exit, Stdout: text(c.stdout), Stderr: text(c.stderr)}
		if got := Classify(Command{Changes: c.changes}, r); got.Outcome != c.want {
			t.Errorf("%s: %v, want %v", c.name, got.Outcome, c.want)
		}
	}
}

// A banner is not a message of monit, and a program that is not a supervisor's client may print
// similar lines.
func TestClassifyIgnoresSimilarLines(t *testing.T) {
	for _, c := range []struct{ sent, stderr string }{
		{"sudo -n monit status x", "Unauthorized access to this system is prohibited.\n"},
		{"sudo -n monit status x", "/opt/x/setup.py:12: DeprecationWarning: use 'y'\n"},
		{"sudo -n /usr/illumon/latest/bin/iris controller_tool --reload", "Cannot connect to the controller on port 20126\n"},
		{"sudo -n /usr/illumon/latest/bin/dhconfig schema import", "Failed to import: Connection reset by peer\n"},
	} {
		r := Result{Outcome: Answered, Exit: 1, Stderr: text(c.stderr)}
		if got := Classify(Command{Sent: c.sent, Changes: true}, r); got.Outcome != Answered {
			t.Errorf("%s: %s: %v (%s)", c.sent, c.stderr, got.Outcome, got.Detail)
		}
	}
}

func TestClassifyLeavesOthers(t *testing.T) {
	for o := range outcomeText {
		if o == Answered {
			continue
		}
		r := Result{Outcome: o, Exit: 1, Detail: "as it was", Stderr: text("sudo: a password is required\n")}
		if got := Classify(Command{}, r); got.Outcome != o || got.Detail != "as it was" {
			t.Errorf("%v became %v (%s)", o, got.Outcome, got.Detail)
		}
	}
}

func TestOutcomeText(t *testing.T) {
	for o := range outcomeText {
		b, err := o.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back Outcome
		if err := back.UnmarshalText(b); err != nil || back != o {
			t.Errorf("%v: back to %v, %v", o, back, err)
		}
	}
	var o Outcome
	if err := o.UnmarshalText([]byte("fine")); err == nil {
		t.Error("an unknown word was accepted")
	}
}

func text(s string) Output { return Output{Head: []byte(s), Total: int64(len(s))} }
