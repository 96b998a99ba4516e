package observe

import (
	"strings"
	"testing"

	"dhbot/internal/remote"
	"dhbot/internal/test/answertest"
	"dhbot/runbooks"
)

// unitSays is the answer of systemctl status in the C locale.
func unitSays(mark, loaded, active, more string) string {
	return mark + " dh-etcd.service - etcd\n     Loaded: " + loaded + "\n     Active: " + active + "\n" + more
}

// Answers of supervisors from the field, and how they must be parsed: the
// state, and for a process that should be up the severity and parts of the
// text.
func TestFieldSupervisors(t *testing.T) {
	field := answertest.Field(t)
	const loaded = "loaded (/etc/systemd/system/dh-etcd.service; enabled; preset: enabled)"
	type row struct {
		name    string
		manager runbooks.Manager
		service string
		result  remote.Result
		state   State
		number  string
		text    []string
		lacks   []string
	}
	unit := func(name string, code int, out string, state State, number string, text ...string) row {
		return row{name, runbooks.Systemd, "dh-etcd", answertest.Exited(code, out, ""), state, number, text, []string{"may try again"}}
	}
	refused := func(name string, manager runbooks.Manager, code int, stdout, stderr string, text ...string) row {
		return row{name, manager, "dh-etcd", answertest.Exited(code, stdout, stderr), Unseen, nothing, text, []string{"monit answered"}}
	}
	for _, tt := range []row{
		{"field: alias", runbooks.Systemd, "mysql", field["systemd-alias"], Up, sev0, nil, nil},
		{"field: load error", runbooks.Systemd, "nginx", field["systemd-load-error"], Down, sev1, []string{"could not be loaded (Bad message)", "will not start it"}, nil},
		{"field: bad setting", runbooks.Systemd, "dh-etcd", field["systemd-bad-setting-dead"], Down, sev1, []string{"has a bad setting", "will not start it"}, nil},
		{"field: failed for good", runbooks.Systemd, "docker", field["systemd-failed-final"], Failed, sev1,
			[]string{"start-limit-hit", "given up and will not start it again", "reset-failed"}, []string{"may try again"}},
		{"field: refreshing", runbooks.Systemd, "dh-etcd", field["systemd-refreshing"], Up, sev0, nil, nil},
		{"field: stuck stopping", runbooks.Systemd, "logstash", field["systemd-stuck-stopping"], Stopping, sev1,
			[]string{"Stopping for 1h36m0s", "neither serves requests nor exits"}, []string{"check again"}},
		{"field: systemd frozen", runbooks.Systemd, "dh-etcd", field["systemd-activate-timeout"], Unseen, nothing, []string{"supervisor did not answer", "timed out"}, nil},
		{"field: unit not found behind noise", runbooks.Systemd, "dh-etcd", field["noise-unit-not-found"], Missing, sev1, []string{"no service called dh-etcd"}, nil},
		{"field: service not found behind noise", runbooks.Monit, "web_api_servic", field["noise-service-not-found"], Missing, sev1, []string{"no service called web_api_servic"}, nil},
		{"field: monit not connected", runbooks.Monit, "web_api_service", field["monit-error-connecting"], Unseen, nothing, []string{"supervisor did not answer"}, nil},
		{"field: monit 5.1", runbooks.Monit, "bitcoind", field["monit-lowercase-connection"], Trouble, sev3, []string{"does not answer on its port"}, nil},
		{"field: zombie", runbooks.Monit, "zomb", answertest.Of("Monit 5.33.0 uptime: 1m\n\nProcess 'zomb'\n  status                       Data access error\n" +
			"  monitoring status            Monitored\n  monitoring mode              active\n  data collected               Sat, 28 Nov 2026 16:54:45\n"),
			Down, sev1, []string{"zombie"}, []string{"is unknown"}},

		unit("C locale marks a failed unit x", 3, unitSays("x", loaded, "failed (Result: exit-code) since x; 1s ago", ""), Failed, sev1, "ended with an error code", "will not start it again"),
		unit("core dump", 3, unitSays("x", loaded, "failed (Result: core-dump) since Mon 2026-11-02 10:00:00 UTC; 3 weeks 5 days ago", ""), Failed, sev1, "dumped core", "will not start it again"),
		unit("watchdog", 3, unitSays("×", loaded, "failed (Result: watchdog) since x; 1min 4s ago", ""), Failed, sev1, "watchdog"),
		unit("out of memory", 3, unitSays("×", loaded, "failed (Result: oom-kill) since x; 1min 4s ago", ""), Failed, sev1, "lack of memory"),
		unit("start limit of old systemd", 3, unitSays("●", loaded, "failed (Result: start-limit) since x; 1min 4s ago", ""), Failed, sev1, "too often"),
		unit("stop timed out", 3, unitSays("×", loaded, "failed (Result: timeout) since x; 1min 4s ago", ""), Failed, sev1, "in time"),
		unit("resources", 3, unitSays("×", loaded, "failed (Result: resources) since x; 1min ago", ""), Failed, sev1, "did not have what it needs"),
		unit("an unknown result", 3, unitSays("×", loaded, "failed (Result: gremlins) since x; 1min ago", ""), Failed, sev1, "result is gremlins"),
		unit("condition", 3, unitSays("○", loaded, "inactive (dead) since x; 1min ago", "  Condition: start condition failed at Sat 2026-11-28 10:00:00 UTC; 1min ago\n"), Down, sev1, "a condition of its unit file is not met"),
		unit("exec condition", 3, unitSays("○", loaded, "inactive (dead) (Result: exec-condition) since x; 1min ago", ""), Down, sev1, "ExecCondition"),
		unit("masked", 3, unitSays("○", "masked (Reason: Unit dh-etcd.service is masked.)", "inactive (dead)", ""), Down, sev1, "masked"),
		unit("masked while it runs", 0, unitSays("*", "masked (Reason: Unit dh-etcd.service is masked.)", "active (running) since x; 1h ago", "   Main PID: 7 (etcd)\n"), Up, "Sev 2 · Moderate", "masked"),
		unit("bad setting while it runs", 0, unitSays("*", "bad-setting (Reason: Unit dh-etcd.service has a bad unit file setting.)", "active (running) since x; 1h ago", "   Main PID: 7 (etcd)\n"),
			Up, "Sev 2 · Moderate", "has a bad setting"),
		unit("load error while it runs", 0, unitSays("*", "error (Reason: Invalid argument)", "active (running) since x; 1h ago", "   Main PID: 7 (etcd)\n"), Up, "Sev 2 · Moderate", "could not be loaded"),
		unit("frozen", 0, unitSays("●", loaded, "active (running) (frozen) since x; 1h ago", "   Main PID: 7 (etcd)\n"), Trouble, sev3, "frozen"),
		unit("cleaning", 3, unitSays("○", loaded, "maintenance (cleaning) since x; 1s ago", ""), Down, sev1),
		unit("before its restart", 3, unitSays("×", loaded, "failed (failed-before-auto-restart) (Result: exit-code) since x; 1ms ago", ""), Recovering, nothing, "check again"),
		unit("restart queued", 3, unitSays("●", loaded, "activating (auto-restart-queued) (Result: exit-code) since x; 20ms ago", ""), Recovering, nothing, "check again"),
		unit("starting for an hour", 3, unitSays("●", loaded, "activating (start) since x; 1h 2min ago", ""), Starting, sev1, "longer than a start takes"),
		unit("stopping for a moment", 3, unitSays("●", loaded, "deactivating (stop-sigterm) since x; 12s ago", ""), Stopping, nothing, "check again"),
		unit("killed and not ended", 3, unitSays("●", loaded, "deactivating (final-sigkill) since x; 2 days ago", ""), Stopping, sev1, "nor exits"),
		unit("an unknown active state", 0, unitSays("●", loaded, "pondering (deeply) since x; 1s ago", ""), Unseen, nothing, `"pondering (deeply)" is unknown`),
		unit("another unit", 0, strings.ReplaceAll(unitSays("●", loaded, "active (running) since x; 1h ago", ""), "dh-etcd", "etcd"), Unseen, nothing, "it has etcd.service instead"),
		unit("shown with a bad setting", 0, "LoadState=bad-setting\nLoadError=org.freedesktop.systemd1.BadUnitSetting \"x\"\nActiveState=active\nSubState=running\nMainPID=7\nFreezerState=running\n",
			Up, "Sev 2 · Moderate", "has a bad setting"),

		refused("bus", runbooks.Systemd, 1, "", "Failed to connect to bus: No such file or directory\n", "supervisor did not answer"),
		refused("bus of systemd 257", runbooks.Systemd, 1, "", "Failed to connect to system scope bus via local transport: Connection refused\n", "supervisor did not answer"),
		refused("remote peer", runbooks.Systemd, 1, "", "Failed to get properties: Remote peer disconnected\n", "supervisor did not answer"),
		refused("method call", runbooks.Systemd, 1, "", "Failed to get unit state: Method call timed out\n", "supervisor did not answer"),
		refused("no reply", runbooks.Systemd, 1, "", "Failed to get properties: Did not receive a reply. Possible causes include: the remote application did not send a reply\n", "supervisor did not answer"),
		refused("monit cannot read", runbooks.Monit, 1, "", "monit: cannot read status from the monit daemon\n", "supervisor did not answer"),
		refused("monit refused", runbooks.Monit, 1, "", "Cannot create socket to [localhost]:2812 -- Connection refused\n", "supervisor did not answer"),
		refused("monit 5.25 behind noise", runbooks.Monit, 1, "", answertest.Setlocale+"Monit: the monit daemon is not running\n", "supervisor did not answer"),
		refused("monit 4 exits 0", runbooks.Monit, 0, "", "monit: error connecting to the monit daemon\n", "supervisor did not answer"),
		refused("monit by a socket", runbooks.Monit, 1, "", "Cannot create unix socket to /run/monit.sock -- Connection refused\n", "supervisor did not answer"),
		refused("monit asks for a password", runbooks.Monit, 1, "", "You are not authorized to access monit. Either you don't supply the right credentials\n", "supervisor did not answer"),
		refused("something else", runbooks.Monit, 3, "", "frobnicate: bad flux\n", "exit code 3", "frobnicate: bad flux"),
		refused("output of another program", runbooks.Monit, 0, "Welcome to infra\n", "", "Welcome to infra"),
		refused("no output", runbooks.Monit, 1, "", "", "printed nothing", "/bin/false"),
		refused("no output, exit code 7", runbooks.Systemd, 7, "", "", "printed nothing"),
		refused("nologin", runbooks.Monit, 1, "This account is currently not available.\n", "", "login refused", "was not run"),
		refused("nologin on the other stream", runbooks.Systemd, 1, "", answertest.Setlocale+"This account is currently not available.\n", "login refused"),
		refused("password expired", runbooks.Monit, 1, "", "WARNING: Your password has expired.\nPassword change required but no TTY available.\n", "login refused", "password has expired"),
		refused("forced command", runbooks.Monit, 142, "Please login as the user \"ec2-user\" rather than the user \"root\".\n\n", "", "login refused", "forced command"),
		refused("sftp only", runbooks.Monit, 1, "This service allows sftp connections only.\n", "", "login refused", "copy files"),
		refused("rbash", runbooks.Monit, 1, "", "rbash: /usr/bin/env: restricted: cannot specify `/' in command names\n", "login refused", "rbash"),
		refused("git-shell", runbooks.Monit, 128, "", "fatal: unrecognized command 'env LC_ALL=C timeout'\n", "login refused", "git-shell"),
		refused("pam_nologin", runbooks.Monit, 1, "", "System is going down. Unprivileged users are not permitted to log in anymore. For technical details, see pam_nologin(8).\n", "login refused"),
		refused("no timeout", runbooks.Monit, 127, "", "env: 'timeout': No such file or directory\n", "login refused", "coreutils"),
		refused("rssh", runbooks.Monit, 1, "\nThis account is restricted by rssh.\nAllowed commands: scp sftp \n\nIf you believe this is in error, please contact your system administrator.\n\n", "", "login refused"),
	} {
		r := remote.Classify(remote.Command{}, tt.result)
		o := Observe(tt.manager, tt.service, r)
		if o.PID > 0 {
			o.Alive = AliveProved
		}
		f := Assess(o, Expect{Up: true, Level: runbooks.Critical})
		if o.State != tt.state || f.Severity.String() != tt.number {
			t.Errorf("%s: %v, %v: %s %s", tt.name, o.State, f.Severity, f.Headline, f.Text)
		}
		if wrong := answertest.Holds(f.Headline+". "+f.Text, tt.text, tt.lacks); wrong != "" {
			t.Errorf("%s: %s: %s. %s", tt.name, wrong, f.Headline, f.Text)
		}
	}
}
