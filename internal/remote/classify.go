package remote

import (
	"regexp"
	"strings"
)

// A rule reads one line that a tool wrote in its own name.
type rule struct {
	line  *regexp.Regexp
	means Outcome
	say   string // what to tell people, and what to do next
}

// sudoRules are the lines with which sudo says that it runs nothing. They are
// sudo 1.8's to 1.9's, in the C locale that the wrapper sets; what they share
// with warnings (after which sudo does run the command, such as "unable to
// resolve host") is only the prefix, so that each is named.
var sudoRules = []rule{
	{re(`^sudo: a password is required$`), SudoRefused,
		"sudo wants a password; the login has no NOPASSWD rule for exactly this command; add one to the host's sudoers"},
	{re(`^sudo: (a terminal is required to read the password|no tty present and no askpass program)`), SudoRefused,
		"sudo wants to ask for a password: the login has no NOPASSWD rule for exactly this command; add one to the host's sudoers"},
	{re(`^sudo: sorry, you must have a tty to run sudo$`), SudoRefused,
		"sudo insists on a terminal: add !requiretty for the login to the host's sudoers"},
	{re(`^sudo: sorry, you are not allowed to (set the following environment variables|preserve the environment)`), SudoRefused,
		"sudo does not let the login set this environment variable: the host's sudoers rule needs SETENV"},
	{re(`^Sorry, user \S+ (is not allowed to execute|may not run sudo) `), SudoRefused,
		"sudo does not let the login run this command: add a rule for exactly this command to the host's sudoers"},
	{re(`^\S+ is not (in the sudoers file|allowed to run sudo on )`), SudoRefused,
		"sudo does not know the login: add rules for it to the host's sudoers"},
	{re(`^sudo: unknown (user|group)\b`), SudoRefused,
		"the user to run it as does not exist on the host: check the process's user in the catalog"},
	{re(`^sudo: \S+: command not found$`), SudoRefused,
		"sudo found no such program on the host: check that Deephaven is installed there and that the path is right"},
	{re(`^sudo: unable to execute \S+: `), SudoRefused,
		"sudo could not start the program: check its permissions on the host"},
	{re(`^sudo: (parse error in |no valid sudoers sources found|unable to open \S*sudoers)`), SudoRefused,
		"the host's sudoers cannot be read: check it there with visudo -c"},
	{re(`^sudo: (account validation failure|Account or password is expired|PAM account management error)`), SudoRefused,
		"sudo says that the login's account is locked or expired: renew it on the host"},
	{re(`^sudo: (effective uid is not 0|\S+ must be owned by uid 0|The "no new privileges" flag is set)`), SudoRefused,
		"sudo cannot become another user on this host: check how it is installed and mounted"},
	{re(`^timeout: failed to run command .?sudo.?: `), SudoRefused,
		"the host has no sudo, or the login cannot start it"},
}

// sudoMore are lines that only ever come beside one of sudoRules.
var sudoMore = []*regexp.Regexp{
	re(`^sudo: error initializing audit plugin `),
	re(`^sudo: unable to resolve host `),
	re(`^\S+sudoers\S*:\d+(:\d+)?: syntax error`),
}

// supervisorRules are the lines on standard error with which monit's and
// systemd's clients say that they failed to ask, at an exit code other than 0.
// A name that monit's daemon does not know is not among them: that is an
// answer.
var supervisorRules = []rule{
	{re(`(?i)^monit: .*the monit daemon is not running$`), SupervisorSilent,
		"monit's client found no running daemon: start monit on the host, or give the user's ~/.monitrc the pid file of the daemon"},
	{re(`^Service '.*' -- doesn't exist$`), SupervisorSilent,
		"monit's client found no running daemon, and no such service in its own control file: start monit on the host, or give the user's ~/.monitrc the pid file of the daemon"},
	{re(`^Cannot (connect to|create socket to) `), SupervisorSilent,
		"monit's daemon takes no connections: it is starting, or its control file has no httpd; wait a minute, then look at monit on the host"},
	{re(`^(Cannot open|Cannot find) the (Monit )?control file `), SupervisorSilent,
		"monit's client could not read its control file: give the user it runs as a ~/.monitrc of its own, or set how monit is called on this host"},
	{re(`^The control file '.*' (permission \d+ is wrong|must be owned by you|does not exist)`), SupervisorSilent,
		"monit's client does not accept its control file: it must exist, belong to the user it runs as, and have mode 0700 or less"},
	{re(`^\S+:\d+: syntax error `), SupervisorSilent,
		"monit's control file has a syntax error: check it on the host with monit -t"},
	{re(`^You are not authorized to access monit\.`), SupervisorSilent,
		"monit's daemon refused the client's password; make the one in the user's ~/.monitrc match the daemon's"},
	{re(`^Cannot signal the monit daemon process `), SupervisorSilent,
		"monit's client may not signal the daemon, so nothing was done: a reload must be asked as root"},
	{re(`^(System has not been booted with systemd|Failed to connect to bus: |Failed to get D-Bus connection: )`), SupervisorSilent,
		"systemctl could not reach systemd: look at the host itself"},
}

// lateRules are the lines with which a client says that it did ask, and then
// heard nothing. A read has simply no answer. A change may still be carried
// out: a frozen monit does what it was asked as soon as it goes on (measured,
// monit 5.33), and so does a busy systemd.
var lateRules = []rule{
	{re(`^Error receiving data -- `), SupervisorSilent,
		"monit's daemon took the request and did not answer: it is frozen or starting; look at monit on the host"},
	{re(`^Failed to .*: (Connection timed out|Connection reset by peer|Transport endpoint is not connected)$`), SupervisorSilent,
		"systemd took the request and did not answer: look at the host itself"},
}

// quietRules are the lines with which monit's client fails while it exits 0
// (process-runbooks.md, "Web API Service": monit reload as irisadmin).
var quietRules = []rule{
	{re(`^Cannot signal the monit daemon process `), SupervisorSilent,
		"monit's client may not signal the daemon, so nothing was done: a reload must be asked as root"},
}

// With its daemon down, monit's client starts and stops programs itself, as
// the calling user, and exits 0; with the daemon up it prints nothing.
const (
	monitReloads = "Reinitializing monit daemon"
	monitIsDown  = "Monit daemon is not running"
)

var monitByHand = re(`^'[\w.-]+' (trying to restart|(stop|start): '.*')$`)

func re(s string) *regexp.Regexp { return regexp.MustCompile(s) }

// Classify looks into an answered command's output for what it means that the
// exit code does not say: that sudo refused (SudoRefused), or that monit's or
// systemd's client failed to ask its daemon (SupervisorSilent, or FateUnknown
// where a change was asked and may still be carried out). Detail then says
// what to do. Any other result is returned as it is.
//
// A refusal by sudo is believed only where sudo alone wrote to standard error,
// for a program run under sudo may itself call sudo after it has acted.
func Classify(c Command, r Result) Result {
	if r.Outcome != Answered {
		return r
	}
	stderr := lines(r.Stderr)
	if r.Exit == 0 {
		return classifyQuiet(r, stderr)
	}
	if found, ok := sudoRefusal(stderr); ok {
		return found.apply(r)
	}
	if found, ok := first(supervisorRules, stderr); ok {
		return found.apply(r)
	}
	if found, ok := first(lateRules, stderr); ok {
		r = found.apply(r)
		if c.Changes {
			r.Outcome = FateUnknown
			r.Detail += "; it may still carry it out"
		}
	}
	return r
}

// classifyQuiet finds the failures that come with exit code 0.
func classifyQuiet(r Result, stderr []string) Result {
	if found, ok := first(quietRules, stderr); ok {
		return found.apply(r)
	}
	stdout := r.Stdout
	if stdout.Total > 4096 {
		return r // monit's client says little; this is something else's output
	}
	reloads := false
	for _, line := range lines(stdout) {
		switch {
		case monitByHand.MatchString(line):
			r.Outcome = FateUnknown
			r.Detail = "monit's daemon is down, and its client ran the stop and start programs itself, as the wrong user: look at the process on the host"
			return r
		case line == monitReloads:
			reloads = true
		case reloads && line == monitIsDown:
			r.Outcome = SupervisorSilent
			r.Detail = "monit's daemon is not running, so nothing was reloaded: start monit on the host"
			return r
		}
	}
	return r
}

// sudoRefusal finds sudo's refusal where every line is sudo's.
func sudoRefusal(stderr []string) (rule, bool) {
	for _, line := range stderr {
		if _, refused := first(sudoRules, []string{line}); !refused && !anyMatch(sudoMore, line) {
			return rule{}, false
		}
	}
	return first(sudoRules, stderr)
}

func first(rules []rule, lines []string) (rule, bool) {
	for _, line := range lines {
		for _, r := range rules {
			if r.line.MatchString(line) {
				return r, true
			}
		}
	}
	return rule{}, false
}

func anyMatch(res []*regexp.Regexp, line string) bool {
	for _, re := range res {
		if re.MatchString(line) {
			return true
		}
	}
	return false
}

func (u rule) apply(r Result) Result {
	r.Outcome, r.Detail = u.means, u.say
	return r
}

// lines is what was kept of a stream, without empty lines and carriage returns.
func lines(o Output) []string {
	var out []string
	for line := range strings.Lines(o.String()) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			out = append(out, line)
		}
	}
	return out
}
