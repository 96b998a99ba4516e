package remote

import "strings"

// loginRules match the messages of a login that runs no command: it has no shell, its password
// has expired, or sshd runs something else (a forced command).
var loginRules = []rule{
	{re(`(?i)^This account is (currently )?not available`), LoginRefused,
		"the login's shell is nologin: give it a shell on the host"},
	{re(`(?i)^(WARNING: Your password has expired|Password change required but no TTY available|You must change your password now|You are required to change your password immediately)`), LoginRefused,
		"the login's password has expired: renew it on the host, or keep it from expiring (chage -M -1)"},
	{re(`(?i)^(Your account has expired|.*account (has |is )expired.*system administrator)`), LoginRefused,
		"the login's account has expired: renew it on the host (chage -E -1)"},
	{re(`(?i)^Please log ?in as the (\S+ )?user "?\S+"? rather than the user `), LoginRefused,
		"sshd runs a forced command for this login instead: use the login in the message, or remove the command= from authorized_keys"},
	{re(`(?i)^(This service allows sftp connections only|This account is restricted by rssh|scponly: )`), LoginRefused,
		"the login may only copy files: allow commands (ForceCommand, or its shell)"},
	{re(`(?i)^(Allowed commands: |If you believe this is in error, please contact your system administrator)`), LoginRefused,
		"the login's shell is restricted: allow commands"},
	{re(`^(fatal: (unrecognized command|What do you think I am)|fatal: Interactive git shell is not enabled|hint: ~/git-shell-commands)`), LoginRefused,
		"the login's shell is git-shell: give it a shell that runs commands"},
	{re(`(?i)\brestricted: cannot specify .* in command names$`), LoginRefused,
		"the login's shell is restricted (rbash): give it a shell that runs commands"},
	{re(`(?i)^System is (booting up|going down)\..*(not permitted to log in|pam_nologin)`), LoginRefused,
		"the host allows no logins now (pam_nologin): it is booting or shutting down, or /etc/nologin was left behind"},
	{re(`(?i)^Access denied: user \S+ .*has no active jobs`), LoginRefused,
		"the host's PAM allows the login only while it has a job there"},
	{re(`(?i)^(Shell access (to|on|for) .* (is )?(disabled|not (allowed|permitted))|(Interactive|Shell) (login|access)s? (is|are) (disabled|not allowed))`), LoginRefused,
		"the host does not allow this login a shell"},
	{re(`^\*\*\* (forbidden|unknown) (command|syntax)`), LoginRefused,
		"the login's shell is restricted (lshell): allow commands"},
}

// hostRules match messages of the login's shell or env when the host lacks a program that every
// command begins with.
var hostRules = []rule{
	{re(`^(-?\w*sh: )?(line \d+: |\d+: )?(env|timeout|sudo): (command )?not found$`), LoginRefused,
		"the login's shell does not find env, timeout or sudo: check its PATH, and that coreutils and sudo are installed"},
	{re(`^env: .?timeout.?: `), LoginRefused,
		"the host has no timeout command (coreutils): install it"},
	{re(`^timeout: (unrecognized|invalid) option`), LoginRefused,
		"the host's timeout command does not know -k: install coreutils"},
}

// loginRefusal detects that the login did not run the command: every line on both streams, except
// noise, matches a rule. A single matching line is not enough, because a program that has already
// acted may start such a login itself.
func loginRefusal(r Result) (rule, string, bool) {
	said := quiet(append(lines(r.Stdout), lines(r.Stderr)...))
	for _, rules := range [][]rule{loginRules, hostRules} {
		if len(said) == 0 || !allMatch(rules, said) {
			continue
		}
		found, _, _ := first(rules, said)
		return found, strings.Join(said, " "), true
	}
	return rule{}, "", false
}
