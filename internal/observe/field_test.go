package observe

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/runbooks"
)

// fieldSamples are the answers of testdata/field.txtar, not yet classified.
func fieldSamples(t *testing.T) map[string]remote.Result {
	t.Helper()
	out := map[string]remote.Result{}
	for name, s := range readSamples(t, "field") {
		s.result.Outcome, s.result.Detail = remote.Answered, ""
		out[name] = s.result
	}
	return out
}

// exited is an answer with this exit code and output.
func exited(code int, stdout, stderr string) remote.Result {
	r := answer(stdout)
	r.Exit, r.Stderr = code, output(stderr)
	return r
}

// holds reports what of a text is missing, or stands there and must not.
func holds(text string, want []string, lacks []string) string {
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

const setlocale = "bash: warning: setlocale: LC_ALL: cannot change locale (en_US.UTF-8)\n"

// unitSays is the answer of systemctl status in the C locale.
func unitSays(mark, loaded, active, more string) string {
	return mark + " dh-etcd.service - etcd\n     Loaded: " + loaded + "\n     Active: " + active + "\n" + more
}

// What supervisors said in the field, as it must be read: the state, and of a
// process that should be up the number and the words.
func TestFieldSupervisors(t *testing.T) {
	field := fieldSamples(t)
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
		return row{name, runbooks.Systemd, "dh-etcd", exited(code, out, ""), state, number, text, []string{"may try again"}}
	}
	refused := func(name string, manager runbooks.Manager, code int, stdout, stderr string, text ...string) row {
		return row{name, manager, "dh-etcd", exited(code, stdout, stderr), Unseen, nothing, text, []string{"monit answered"}}
	}
	for _, tt := range []row{
		{"field: alias", runbooks.Systemd, "mysql", field["systemd-alias"], Up, sev0, nil, nil},
		{"field: load error", runbooks.Systemd, "nginx", field["systemd-load-error"], Down, sev1, []string{"could not be loaded (Bad message)", "will not start it"}, nil},
		{"field: bad setting", runbooks.Systemd, "dh-etcd", field["systemd-bad-setting-dead"], Down, sev1, []string{"has a bad setting", "will not start it"}, nil},
		{"field: failed for good", runbooks.Systemd, "docker", field["systemd-failed-final"], Failed, sev1,
			[]string{"start-limit-hit", "given up and will not start it again", "reset-failed"}, []string{"may try again"}},
		{"field: refreshing", runbooks.Systemd, "dh-etcd", field["systemd-refreshing"], Up, sev0, nil, nil},
		{"field: stuck stopping", runbooks.Systemd, "logstash", field["systemd-stuck-stopping"], Stopping, sev1,
			[]string{"Stopping for 1h36m0s", "does not serve and does not end"}, []string{"check again"}},
		{"field: systemd frozen", runbooks.Systemd, "dh-etcd", field["systemd-activate-timeout"], Unseen, nothing, []string{"supervisor did not answer", "timed out"}, nil},
		{"field: unit not found behind noise", runbooks.Systemd, "dh-etcd", field["noise-unit-not-found"], Missing, sev1, []string{"no service called dh-etcd"}, nil},
		{"field: service not found behind noise", runbooks.Monit, "web_api_servic", field["noise-service-not-found"], Missing, sev1, []string{"no service called web_api_servic"}, nil},
		{"field: monit not connected", runbooks.Monit, "web_api_service", field["monit-error-connecting"], Unseen, nothing, []string{"supervisor did not answer"}, nil},
		{"field: monit 5.1", runbooks.Monit, "bitcoind", field["monit-lowercase-connection"], Trouble, sev3, []string{"does not answer on its port"}, nil},
		{"field: zombie", runbooks.Monit, "zomb", answer("Monit 5.33.0 uptime: 1m\n\nProcess 'zomb'\n  status                       Data access error\n" +
			"  monitoring status            Monitored\n  monitoring mode              active\n  data collected               Sat, 28 Nov 2026 16:54:45\n"),
			Down, sev1, []string{"zombie"}, []string{"is unknown"}},

		unit("C locale marks a failed unit x", 3, unitSays("x", loaded, "failed (Result: exit-code) since x; 1s ago", ""), Failed, sev1, "ended with an error code", "will not start it again"),
		unit("core dump", 3, unitSays("x", loaded, "failed (Result: core-dump) since Mon 2026-11-02 10:00:00 UTC; 3 weeks 5 days ago", ""), Failed, sev1, "dumped core", "will not start it again"),
		unit("watchdog", 3, unitSays("×", loaded, "failed (Result: watchdog) since x; 1min 4s ago", ""), Failed, sev1, "watchdog"),
		unit("out of memory", 3, unitSays("×", loaded, "failed (Result: oom-kill) since x; 1min 4s ago", ""), Failed, sev1, "lack of memory"),
		unit("start limit of old systemd", 3, unitSays("●", loaded, "failed (Result: start-limit) since x; 1min 4s ago", ""), Failed, sev1, "too often"),
		unit("stop timed out", 3, unitSays("×", loaded, "failed (Result: timeout) since x; 1min 4s ago", ""), Failed, sev1, "in time"),
		unit("resources", 3, unitSays("×", loaded, "failed (Result: resources) since x; 1min ago", ""), Failed, sev1, "lacked something"),
		unit("a result of tomorrow", 3, unitSays("×", loaded, "failed (Result: gremlins) since x; 1min ago", ""), Failed, sev1, "result is gremlins"),
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
		unit("killed and not ended", 3, unitSays("●", loaded, "deactivating (final-sigkill) since x; 2 days ago", ""), Stopping, sev1, "does not end"),
		unit("an active state of tomorrow", 0, unitSays("●", loaded, "pondering (deeply) since x; 1s ago", ""), Unseen, nothing, `"pondering (deeply)" is unknown`),
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
		refused("monit 5.25 behind noise", runbooks.Monit, 1, "", setlocale+"Monit: the monit daemon is not running\n", "supervisor did not answer"),
		refused("monit 4 exits 0", runbooks.Monit, 0, "", "monit: error connecting to the monit daemon\n", "supervisor did not answer"),
		refused("monit by a socket", runbooks.Monit, 1, "", "Cannot create unix socket to /run/monit.sock -- Connection refused\n", "supervisor did not answer"),
		refused("monit asks for a password", runbooks.Monit, 1, "", "You are not authorized to access monit. Either you don't supply the right credentials\n", "supervisor did not answer"),
		refused("something else", runbooks.Monit, 3, "", "frobnicate: bad flux\n", "exit code 3", "frobnicate: bad flux"),
		refused("an answer of something else", runbooks.Monit, 0, "Welcome to infra\n", "", "Welcome to infra"),
		refused("no word", runbooks.Monit, 1, "", "", "printed nothing", "/bin/false"),
		refused("no word, 7", runbooks.Systemd, 7, "", "", "printed nothing"),
		refused("nologin", runbooks.Monit, 1, "This account is currently not available.\n", "", "login refused", "was not run"),
		refused("nologin on the other stream", runbooks.Systemd, 1, "", setlocale+"This account is currently not available.\n", "login refused"),
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
		if wrong := holds(f.Headline+". "+f.Text, tt.text, tt.lacks); wrong != "" {
			t.Errorf("%s: %s: %s. %s", tt.name, wrong, f.Headline, f.Text)
		}
	}
}

// Who said no to a change: nothing was changed, and the party stands there with
// its own words; where the answer was lost, the fate is unknown.
func TestFieldChanges(t *testing.T) {
	field := fieldSamples(t)
	type row struct {
		name   string
		result remote.Result
		state  Proof
		text   []string
	}
	sudo := func(stderr string, text ...string) row {
		return row{strings.TrimSpace(stderr), exited(1, "", stderr+"\n"), Never, append([]string{"nothing was changed: refused by sudo"}, text...)}
	}
	late := func(stderr string) row {
		return row{stderr, exited(1, "", stderr+"\n"), Unknown, []string{"unknown whether it ran"}}
	}
	login := func(code int, stdout, stderr string) row {
		return row{stdout + stderr, exited(code, stdout, stderr), Never, []string{"nothing was changed: login refused", "the command was not run"}}
	}
	rows := []row{
		{"field: late", field["systemd-late-1"], Unknown, []string{"unknown whether it ran"}},

		sudo("sudo: 3 incorrect password attempts", "password"),
		sudo("sudo: Account validation failure, is your account locked?", "locked"),
		sudo("sudo: Maximum 3 incorrect authentication attempts", "password"),
		sudo("sudo: I'm sorry dhops. I'm afraid I can't do that", "sudoers"),
		sudo("Sorry, user dhops is not allowed to execute '/usr/bin/monit restart x' as irisadmin on infra.", "sudoers"),
		sudo("sudo: Sorry, user dhops may not run sudo on infra.", "sudoers"),
		sudo("sudo: group 'dh' not found", "does not exist"),
		sudo("sudo: '/usr/bin/monit': command not found", "no such program"),
		sudo("sudo: cannot execute '/usr/bin/monit': Permission denied (os error 13)", "could not start"),
		sudo("sudo: sudo must be owned by uid 0 and have the setuid bit set", "cannot become"),
		sudo("sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set", "cannot become"),
		sudo("sudo: effective uid is not 0, is /usr/bin/sudo on a file system with the 'nosuid' option set or an NFS file system without root privileges?", "cannot become"),
		sudo("sudo: unable to fork: Resource temporarily unavailable", "short of"),
		sudo("sudo: PAM account management error: Permission denied", "PAM"),
		sudo("sudo: pam_open_session: System error\nsudo: policy plugin failed session initialization", "PAM"),
		sudo("sudo: unknown uid 1004: who are you?", "name service"),
		sudo("sudo: timed out", "password"),
		sudo("Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt", "password"),
		sudo("sudo: setrlimit(RLIMIT_CORE): Operation not permitted\nsudo: a password is required", "password"),
		sudo("sudo: /run/sudo/ts is owned by uid 1000, should be 0\nsudo: a terminal is required to read the password", "password"),
		sudo(setlocale+"sudo: a password is required", "password"),
		sudo("/home/dhops/.bashrc: line 3: nvm: command not found\nsudo: a password is required", "password"),
		sudo("sudo: invalid configuration: syntax error", "visudo"),
		sudo("sudo: command rejected by log server", "log server"),
		sudo("sudo: the moon is in the wrong phase", "unknown message: sudo: the moon is in the wrong phase"),

		late("Failed to restart dh-etcd.service: Remote peer disconnected"),
		late("Failed to restart dh-etcd.service: Method call timed out"),
		late("Failed to stop dh-etcd.service: Connection reset by peer"),
		late("Failed to start dh-etcd.service: Transport endpoint is not connected"),
		late("Failed to restart dh-etcd.service: Failed to activate service 'org.freedesktop.systemd1': timed out (service_start_timeout=25000ms)"),
		late("Failed to wait for response: Connection timed out"),
		late("Failed to restart dh-etcd.service: Did not receive a reply. Possible causes include: the remote application did not send a reply"),
		late("Job for dh-etcd.service canceled."),
		late("Warning! D-Bus connection terminated."),
		late(setlocale + "Error receiving data -- Resource temporarily unavailable"),

		login(1, "This account is currently not available.\n", ""),
		login(1, "", "WARNING: Your password has expired.\nPassword change required but no TTY available.\n"),
		login(142, "Please login as the user \"ec2-user\" rather than the user \"root\".\n", ""),
		login(1, "This service allows sftp connections only.\n", ""),
		login(1, "", "bash: env: command not found\n"),

		{"a program that called sudo", exited(1, "", "removed old file\nsudo: a password is required\n"), Never, []string{"failed with exit code 1", "removed old file"}},
		{"a program that met nologin", exited(1, "stopping\nThis account is currently not available.\n", ""), Never, []string{"failed with exit code 1", "stopping"}},
		{"systemd said no", exited(4, "", "Failed to restart dh-etcd.service: Access denied\n"), Never, []string{"failed with exit code 4", "Access denied"}},
		{"a unit that fails", exited(1, "", "Job for dh-etcd.service failed because a timeout was exceeded.\n"), Never, []string{"failed with exit code 1", "timeout was exceeded"}},
		{"no word", exited(1, "", ""), Never, []string{"failed with exit code 1", "not a word"}},
	}
	for name, words := range map[string]string{
		"sudo-account-lacks": "expired", "sudo-audit-then-password": "password", "sudo-conf-then-password": "password",
		"sudo-expired-three-lines": "expired", "sudo-no-new-privileges": "no new privileges", "sudo-pam-auth": "PAM", "sudo-plugin": "plugins",
		"sudo-rs-interactive": "password", "sudo-rs-user-not-found": "does not exist", "sudo-ts-then-password": "password", "sudo-world-writable": "sudoers",
	} {
		rows = append(rows, row{"field: " + name, field[name], Never, []string{"nothing was changed: refused by sudo", words}})
	}
	for _, tt := range rows {
		r := remote.Classify(remote.Command{Changes: true}, tt.result)
		v := EvaluateExec(runbooks.Step{Check: runbooks.Silent}, r)
		if v.State != tt.state {
			t.Errorf("%s: %s: %s", tt.name, v.State, v.Text)
		}
		if wrong := holds(v.Text, tt.text, nil); wrong != "" {
			t.Errorf("%s: %s: %s", tt.name, wrong, v.Text)
		}
	}
}

// The line that decides is found behind what a login shell wrote.
func TestFieldNoise(t *testing.T) {
	df := runbooks.Step{Until: runbooks.SpaceFree, Command: "df -P -k /backup"}
	grep := runbooks.Step{Until: runbooks.Found, Command: "grep -h -F -e x /var/log/x"}
	for _, tt := range []struct {
		name  string
		step  runbooks.Step
		r     remote.Result
		state Proof
		text  string
	}{
		{"field: df", runbooks.Step{Until: runbooks.SpaceFree}, fieldSamples(t)["noise-df"], Never, "exit code 1: df: /backup: No such file or directory"},
		{"unknown noise", df, exited(1, "", "NOTICE: this host is watched\ndf: /backup: No such file or directory\n"), Never, "exit code 1: df: /backup: No such file or directory"},
		{"perl", df, exited(1, "", "perl: warning: Setting locale failed.\nperl: warning: Please check that your locale settings:\n\tLANGUAGE = (unset),\n\tLC_ALL = \"x\",\n    are supported and installed on your system.\nperl: warning: Falling back to the standard locale (\"C\").\ndf: /backup: Permission denied\n"),
			Never, "exit code 1: df: /backup: Permission denied"},
		{"start-up file", df, exited(1, "", "/home/dhops/.bashrc: line 12: /opt/x/env: No such file or directory\nstty: 'standard input': Inappropriate ioctl for device\ndf: /backup: Input/output error\n"),
			Never, "exit code 1: df: /backup: Input/output error"},
		{"nothing but words that nobody knows", df, exited(1, "", "zog\nzag\n"), Never, "exit code 1: zog / zag"},
		{"grep finds nothing", grep, exited(1, "", setlocale), Met, "nothing found"},
		{"grep fails", grep, exited(2, "", setlocale+"grep: /var/log/x: Permission denied\n"), Never, "exit code 2: grep: /var/log/x: Permission denied"},
	} {
		if v := Evaluate(tt.step, nil, tt.r, noon); v.State != tt.state || v.Text != tt.text {
			t.Errorf("%s: %s: %s", tt.name, v.State, v.Text)
		}
	}
}

// A line of a summary that is not understood may be a service that is down.
func TestSummaryIsUnderstoodOrUnknown(t *testing.T) {
	const head = "Monit 5.33.0 uptime: 1m\n Service Name                     Status                      Type          \n"
	const up = " db_dis                           OK                          Process       \n"
	for _, tt := range []struct {
		name, out string
		state     Proof
	}{
		{"understood", head + up, Met},
		{"noise before it", "Welcome to infra\n" + head + up, Met},
		{"a row of tomorrow", head + up + " db_ltds                          OK                          Container     \n", Unknown},
		{"half a row", head + up + " db_ltds        \n", Unknown},
		{"noise after it", head + up + "logout\n", Unknown},
		{"old form", "The Monit daemon 5.6 uptime: 4h 3m\n\nProcess 'db_dis'                    Running\n", Met},
		{"old form, one down", "The Monit daemon 5.6 uptime: 4h 3m\n\nProcess 'db_dis'                    Running\nProcess 'db_ltds'                   Does not exist\n", NotYet},
	} {
		if v := Evaluate(runbooks.Step{Until: runbooks.AllUp}, nil, answer(tt.out), noon.Add(-time.Hour)); v.State != tt.state {
			t.Errorf("%s: %s: %s", tt.name, v.State, v.Text)
		}
	}
}
