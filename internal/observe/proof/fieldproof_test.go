package proof

import (
	"strings"
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/test/answertest"
	"dhbot/runbooks"
)

// After a refused change the verdict says that nothing changed and who refused it, with the
// original message. If the answer was lost, the outcome is unknown.
func TestFieldChanges(t *testing.T) {
	field := answertest.Field(t)
	type row struct {
		name   string
		result remote.Result
		state  State
		text   []string
	}
	sudo := func(stderr string, text ...string) row {
		return row{strings.TrimSpace(stderr), answertest.Exited(1, "", stderr+"\n"), Never, append([]string{"nothing was changed: refused by sudo"}, text...)}
	}
	late := func(stderr string) row {
		return row{stderr, answertest.Exited(1, "", stderr+"\n"), Unknown, []string{"unknown whether it ran"}}
	}
	login := func(code int, stdout, stderr string) row {
		return row{stdout + stderr, answertest.Exited(code, stdout, stderr), Never, []string{"nothing was changed: login refused", "the command was not run"}}
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
		sudo(answertest.Setlocale+"sudo: a password is required", "password"),
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
		late(answertest.Setlocale + "Error receiving data -- Resource temporarily unavailable"),

		login(1, "This account is currently not available.\n", ""),
		login(1, "", "WARNING: Your password has expired.\nPassword change required but no TTY available.\n"),
		login(142, "Please login as the user \"ec2-user\" rather than the user \"root\".\n", ""),
		login(1, "This service allows sftp connections only.\n", ""),
		login(1, "", "bash: env: command not found\n"),

		{"a program that called sudo", answertest.Exited(1, "", "removed old file\nsudo: a password is required\n"), Never, []string{"failed with exit code 1", "removed old file"}},
		{"a program that printed nologin's text", answertest.Exited(1, "stopping\nThis account is currently not available.\n", ""), Never, []string{"failed with exit code 1", "stopping"}},
		{"systemd refused", answertest.Exited(4, "", "Failed to restart dh-etcd.service: Access denied\n"), Never, []string{"failed with exit code 4", "Access denied"}},
		{"a unit that fails", answertest.Exited(1, "", "Job for dh-etcd.service failed because a timeout was exceeded.\n"), Never, []string{"failed with exit code 1", "timeout was exceeded"}},
		{"no output", answertest.Exited(1, "", ""), Never, []string{"failed with exit code 1", "it printed nothing"}},
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
		if wrong := answertest.Holds(v.Text, tt.text, nil); wrong != "" {
			t.Errorf("%s: %s: %s", tt.name, wrong, v.Text)
		}
	}
}

// The line that matters is found even if a login shell printed something before it.
func TestFieldNoise(t *testing.T) {
	df := runbooks.Step{Until: runbooks.SpaceFree, Command: "df -P -k /backup"}
	grep := runbooks.Step{Until: runbooks.Found, Command: "grep -h -F -e x /var/log/x"}
	for _, tt := range []struct {
		name  string
		step  runbooks.Step
		r     remote.Result
		state State
		text  string
	}{
		{"field: df", runbooks.Step{Until: runbooks.SpaceFree}, answertest.Field(t)["noise-df"], Never, "exit code 1: df: /backup: No such file or directory"},
		{"unknown noise", df, answertest.Exited(1, "", "NOTICE: this host is watched\ndf: /backup: No such file or directory\n"), Never, "exit code 1: df: /backup: No such file or directory"},
		{"perl", df, answertest.Exited(1, "", "perl: warning: Setting locale failed.\nperl: warning: Please check that your locale settings:\n\tLANGUAGE = (unset),\n\tLC_ALL = \"x\",\n    are supported and installed on your system.\nperl: warning: Falling back to the standard locale (\"C\").\ndf: /backup: Permission denied\n"),
			Never, "exit code 1: df: /backup: Permission denied"},
		{"start-up file", df, answertest.Exited(1, "", "/home/dhops/.bashrc: line 12: /opt/x/env: No such file or directory\nstty: 'standard input': Inappropriate ioctl for device\ndf: /backup: Input/output error\n"),
			Never, "exit code 1: df: /backup: Input/output error"},
		{"only unknown words", df, answertest.Exited(1, "", "zog\nzag\n"), Never, "exit code 1: zog / zag"},
		{"grep finds nothing", grep, answertest.Exited(1, "", answertest.Setlocale), Met, "nothing found"},
		{"grep fails", grep, answertest.Exited(2, "", answertest.Setlocale+"grep: /var/log/x: Permission denied\n"), Never, "exit code 2: grep: /var/log/x: Permission denied"},
	} {
		if v := Evaluate(tt.step, nil, tt.r, answertest.Noon); v.State != tt.state || v.Text != tt.text {
			t.Errorf("%s: %s: %s", tt.name, v.State, v.Text)
		}
	}
}

// If a line of a summary cannot be parsed, the verdict is unknown, because the line may be about a
// service that is down.
func TestSummaryIsUnderstoodOrUnknown(t *testing.T) {
	const head = "Monit 5.33.0 uptime: 1m\n Service Name                     Status                      Type          \n"
	const up = " db_dis                           OK                          Process       \n"
	for _, tt := range []struct {
		name, out string
		state     State
	}{
		{"understood", head + up, Met},
		{"noise before it", "Welcome to infra\n" + head + up, Met},
		{"an unknown row", head + up + " db_ltds                          OK                          Container     \n", Unknown},
		{"half a row", head + up + " db_ltds        \n", Unknown},
		{"noise after it", head + up + "logout\n", Unknown},
		{"old form", "The Monit daemon 5.6 uptime: 4h 3m\n\nProcess 'db_dis'                    Running\n", Met},
		{"old form, one down", "The Monit daemon 5.6 uptime: 4h 3m\n\nProcess 'db_dis'                    Running\nProcess 'db_ltds'                   Does not exist\n", NotYet},
	} {
		if v := Evaluate(runbooks.Step{Until: runbooks.AllUp}, nil, answertest.Of(tt.out), answertest.Noon.Add(-time.Hour)); v.State != tt.state {
			t.Errorf("%s: %s: %s", tt.name, v.State, v.Text)
		}
	}
}
