package remote

import (
	"regexp"
	"strings"
)

// A rule matches one error line of a tool.
type rule struct {
	line  *regexp.Regexp
	means Outcome
	say   string // message for people, with the fix
}

// supervisorRules match the error lines of monit's and systemd's clients that could not reach their
// daemon. Most of them do not exit with 0, but see classifyQuiet. If monit's daemon does not know a
// name, that is an answer, so no rule matches its message.
var supervisorRules = []rule{
	{re(`(?i)^(/\S+/)?monit: .*the monit daemon is not running$`), SupervisorSilent,
		"monit's client found no running daemon: start monit on the host, or give the user's ~/.monitrc the pid file of the daemon"},
	{re(`^Service '.*' -- doesn't exist$`), SupervisorSilent,
		"monit's client found no running daemon, and no such service in its own control file: start monit on the host, or give the user's ~/.monitrc the pid file of the daemon"},
	{re(`(?i)^(\S*monit: )?(Cannot (connect|create (unix )?socket) to |Cannot open (a )?connection to |error connecting to the monit daemon|cannot connect to the monit daemon)`), SupervisorSilent,
		"monit's daemon accepts no connections: it is starting, or its control file has no httpd; wait a minute, then check monit on the host"},
	{re(`(?i)^(\S*monit: )?(cannot (read status from|parse (the )?response from) the monit daemon)`), SupervisorSilent,
		"monit's daemon did not answer its client: it is frozen or starting; check monit on the host"},
	{re(`(?i)^(\S*monit: )?Cannot (open|find) the (Monit )?control file`), SupervisorSilent,
		"monit's client could not read its control file: give its user a ~/.monitrc, or set the monit command of this host"},
	{re(`(?i)^(\S*monit: )?The control file '.*' (permission \d+ is wrong|must be owned by you|must have permissions no more|does not exist|is not a regular file)`), SupervisorSilent,
		"monit's client does not accept its control file: it must exist, belong to the user it runs as, and have mode 0700 or less"},
	{re(`^\S*(monitrc|/monit\S*/\S+):\d+: `), SupervisorSilent,
		"monit's control file has a syntax error: check it on the host with monit -t"},
	{re(`(?i)^(\S*monit: )?(You are not authorized to access monit|HTTP/1\.[01] 401\b)`), SupervisorSilent,
		"monit's daemon refused the client's password; make the password in the user's ~/.monitrc match the daemon's"},
	{re(`^Cannot signal the monit daemon process `), SupervisorSilent,
		"monit's client may not signal the daemon, so nothing was done: a reload must run as root"},
	{re(`(?i)^(\S*monit: )?(SSL: |SSL (connect|server certificate)|Socket .*SSL)`), SupervisorSilent,
		"monit's client and daemon do not agree on TLS: compare the client's ~/.monitrc with the daemon's httpd settings"},
	{re(`^(System has not been booted with systemd|Failed to connect to (system scope |user scope )?bus\b|Failed to get D-Bus connection: |Failed to create bus connection: )`), SupervisorSilent,
		"systemctl could not reach systemd: check the host itself"},
}

// lostReply matches systemctl's errors when its request was sent and no reply arrived: sd-bus
// and D-Bus errors, and the errno of a closed socket.
const lostReply = `(?i)(Connection timed out|Connection reset by peer|Transport endpoint is not connected|Broken pipe|` +
	`Remote peer disconnected|Message recipient disconnected from message bus without replying|Method call timed out|` +
	`Did not receive a reply\b.*|No reply within specified time|Connection (was )?(terminated|closed|disconnected)( before reply)?|` +
	`The connection is closed|(Warning! )?D-Bus connection terminated|Failed to activate service 'org\.freedesktop\.systemd1': timed out.*|` +
	`Timeout was reached|Operation timed out|Software caused connection abort)`

// lateRules match the error lines of a client that sent its request and got no reply. A read
// then has no answer. A change may still happen: a frozen monit executes its requests when it
// resumes (measured, monit 5.33), and so does a busy systemd.
var lateRules = []rule{
	{re(`(?i)^(\S*monit: )?(Error receiving data -- |Error (reading|receiving) (the )?response|Cannot read (the )?response from the monit daemon|.*\bread timed? ?out\b)`), SupervisorSilent,
		"monit's daemon accepted the request and did not answer: it is frozen or starting; check monit on the host"},
	{re(`^(Failed to |Could not |Error ).*: ` + lostReply + `\.?$`), SupervisorSilent,
		"systemd accepted the request and did not answer: check the host itself"},
	{re(`^` + lostReply + `\.?$`), SupervisorSilent,
		"systemd accepted the request and did not answer: check the host itself"},
}

// replacedRules match systemd's message that another request replaced a change. A part of the
// change may have happened.
var replacedRules = []rule{
	{re(`^Job for \S+ cancel+ed\.$`), FateUnknown,
		"another request replaced this one in systemd: check the unit first"},
}

// quietRules match failures of monit's client with exit code 0 (process-runbooks.md, "Web API
// Service": monit reload as irisadmin).
var quietRules = []rule{
	{re(`^Cannot signal the monit daemon process `), SupervisorSilent,
		"monit's client may not signal the daemon, so nothing was done: a reload must run as root"},
}

// Without its daemon, monit's client starts and stops programs itself, as the calling user, and
// exits with 0; with the daemon it prints nothing.
const (
	monitReloads = "Reinitializing monit daemon"
	monitIsDown  = "Monit daemon is not running"
)

var monitByHand = re(`^'[\w.-]+' (trying to restart|(stop|start): '.*')$`)

func re(s string) *regexp.Regexp { return regexp.MustCompile(s) }

// Classify examines an answered command's output for outcomes that the exit code does not show:
// sudo refused (SudoRefused), the login runs no command (LoginRefused), or monit's or systemd's
// client failed to reach its daemon (SupervisorSilent, or FateUnknown if a change was requested
// and may still happen). Detail then has the fix and quotes the line. Any other result is
// returned unchanged.
//
// For a change, Classify trusts a refusal only if standard error has only lines of sudo or the
// login, and known noise. A program that runs under sudo may itself call sudo after it has acted.
func Classify(c Command, r Result) Result {
	if r.Outcome != Answered {
		return r
	}
	stderr := lines(r.Stderr)
	if r.Exit == 0 {
		return classifyQuiet(r, stderr)
	}
	if classified, ok := classifySudo(c, r, stderr); ok {
		return classified
	}
	if found, said, ok := loginRefusal(r); ok {
		found.say = "the command was not run: " + found.say
		return found.apply(r, said)
	}
	if !asksSupervisor(c) {
		return r
	}
	if found, line, ok := first(supervisorRules, stderr); ok {
		return found.apply(r, line)
	}
	if found, line, ok := first(lateRules, stderr); ok {
		r = found.apply(r, line)
		if c.Changes {
			r.Outcome = FateUnknown
			r.Detail += "; it may still execute the request"
		}
		return r
	}
	if found, line, ok := first(replacedRules, stderr); ok && c.Changes {
		return found.apply(r, line)
	}
	return r
}

// asksSupervisor reports whether a command runs a supervisor's client. Other programs print similar
// lines about their own connections. An empty command counts as a supervisor's client.
func asksSupervisor(c Command) bool {
	return c.Sent == "" || strings.Contains(c.Sent, "monit") || strings.Contains(c.Sent, "systemctl") ||
		strings.Contains(c.Sent, "journalctl")
}

// classifySudo detects that sudo ran nothing. If there are other lines too, the outcome of a
// change stays Answered: the change failed, but may have acted before. An unknown message of sudo
// is shown completely.
func classifySudo(c Command, r Result, stderr []string) (Result, bool) {
	found, line, alone, ok := sudoRefusal(stderr)
	if ok {
		return found.apply(r, line), alone || !c.Changes
	}
	said, ok := sudoUnknown(stderr)
	if ok && r.Exit == 1 {
		r.Outcome, r.Detail = SudoRefused, "sudo refused the command with an unknown message: "+said
		return r, true
	}
	return r, false
}

// classifyQuiet detects failures with exit code 0.
func classifyQuiet(r Result, stderr []string) Result {
	if found, line, ok := first(quietRules, stderr); ok {
		return found.apply(r, line)
	}
	stdout := r.Stdout
	if stdout.Total > 4096 {
		return r // monit's client prints little; this is another program's output
	}
	said := lines(stdout)
	if found, line, ok := first(supervisorRules, stderr); ok && len(quiet(said)) == 0 {
		return found.apply(r, line) // monit 4 and some versions of monit 5 exit with 0
	}
	reloads := false
	for _, line := range said {
		switch {
		case monitByHand.MatchString(line):
			r.Outcome = FateUnknown
			r.Detail = "monit's daemon is down, and its client ran the stop and start programs itself, as the wrong user: check the process on the host"
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

func first(rules []rule, lines []string) (rule, string, bool) {
	for _, line := range lines {
		for _, r := range rules {
			if r.line.MatchString(line) {
				return r, line, true
			}
		}
	}
	return rule{}, "", false
}

// allMatch reports whether every line matches a rule.
func allMatch(rules []rule, lines []string) bool {
	for _, line := range lines {
		if _, _, ok := first(rules, []string{line}); !ok {
			return false
		}
	}
	return true
}

func anyMatch(res []*regexp.Regexp, line string) bool {
	for _, re := range res {
		if re.MatchString(line) {
			return true
		}
	}
	return false
}

// apply sets the rule's outcome, with the fix and the matching line.
func (u rule) apply(r Result, line string) Result {
	r.Outcome, r.Detail = u.means, u.say+` (it wrote: `+line+`)`
	return r
}

// lines returns the lines of a stream without empty lines and carriage returns.
func lines(o Output) []string {
	var out []string
	for line := range strings.Lines(o.String()) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			out = append(out, line)
		}
	}
	return out
}
