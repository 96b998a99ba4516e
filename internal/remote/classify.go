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

// supervisorRules are the lines on standard error with which monit's and
// systemd's clients say that they failed to ask, at an exit code other than 0.
// A name that monit's daemon does not know is not among them: that is an
// answer.
var supervisorRules = []rule{
	{re(`(?i)^(/\S+/)?monit: .*the monit daemon is not running$`), SupervisorSilent,
		"monit's client found no running daemon: start monit on the host, or give the user's ~/.monitrc the pid file of the daemon"},
	{re(`^Service '.*' -- doesn't exist$`), SupervisorSilent,
		"monit's client found no running daemon, and no such service in its own control file: start monit on the host, or give the user's ~/.monitrc the pid file of the daemon"},
	{re(`(?i)^(\S*monit: )?(Cannot (connect|create (unix )?socket) to |Cannot open (a )?connection to |error connecting to the monit daemon|cannot connect to the monit daemon)`), SupervisorSilent,
		"monit's daemon takes no connections: it is starting, or its control file has no httpd; wait a minute, then look at monit on the host"},
	{re(`(?i)^(\S*monit: )?(cannot (read status from|parse (the )?response from) the monit daemon)`), SupervisorSilent,
		"monit's daemon did not answer its client: it is frozen or starting; look at monit on the host"},
	{re(`(?i)^(\S*monit: )?Cannot (open|find) the (Monit )?control file`), SupervisorSilent,
		"monit's client could not read its control file: give the user it runs as a ~/.monitrc of its own, or set how monit is called on this host"},
	{re(`(?i)^(\S*monit: )?The control file '.*' (permission \d+ is wrong|must be owned by you|must have permissions no more|does not exist|is not a regular file)`), SupervisorSilent,
		"monit's client does not accept its control file: it must exist, belong to the user it runs as, and have mode 0700 or less"},
	{re(`^\S*(monitrc|/monit\S*/\S+):\d+: `), SupervisorSilent,
		"monit's control file has a syntax error: check it on the host with monit -t"},
	{re(`(?i)^(\S*monit: )?(You are not authorized to access monit|HTTP/1\.[01] 401\b)`), SupervisorSilent,
		"monit's daemon refused the client's password; make the one in the user's ~/.monitrc match the daemon's"},
	{re(`^Cannot signal the monit daemon process `), SupervisorSilent,
		"monit's client may not signal the daemon, so nothing was done: a reload must be asked as root"},
	{re(`(?i)^(\S*monit: )?(SSL: |SSL (connect|server certificate)|Socket .*SSL)`), SupervisorSilent,
		"monit's client and daemon do not agree on TLS: compare the client's ~/.monitrc with the daemon's httpd settings"},
	{re(`^(System has not been booted with systemd|Failed to connect to (system scope |user scope )?bus\b|Failed to get D-Bus connection: |Failed to create bus connection: )`), SupervisorSilent,
		"systemctl could not reach systemd: look at the host itself"},
}

// lostReply is how systemctl says that its question went out and no reply came
// back: sd-bus and D-Bus errors, and the errno of a socket that was closed.
const lostReply = `(?i)(Connection timed out|Connection reset by peer|Transport endpoint is not connected|Broken pipe|` +
	`Remote peer disconnected|Message recipient disconnected from message bus without replying|Method call timed out|` +
	`Did not receive a reply\b.*|No reply within specified time|Connection (was )?(terminated|closed|disconnected)( before reply)?|` +
	`The connection is closed|(Warning! )?D-Bus connection terminated|Failed to activate service 'org\.freedesktop\.systemd1': timed out.*|` +
	`Timeout was reached|Operation timed out|Software caused connection abort)`

// lateRules are the lines with which a client says that it did ask, and then
// heard nothing. A read has simply no answer. A change may still be carried
// out: a frozen monit does what it was asked as soon as it goes on (measured,
// monit 5.33), and so does a busy systemd.
var lateRules = []rule{
	{re(`(?i)^(\S*monit: )?(Error receiving data -- |Error (reading|receiving) (the )?response|Cannot read (the )?response from the monit daemon|.*\bread timed? ?out\b)`), SupervisorSilent,
		"monit's daemon took the request and did not answer: it is frozen or starting; look at monit on the host"},
	{re(`^(Failed to |Could not |Error ).*: ` + lostReply + `\.?$`), SupervisorSilent,
		"systemd took the request and did not answer: look at the host itself"},
	{re(`^` + lostReply + `\.?$`), SupervisorSilent,
		"systemd took the request and did not answer: look at the host itself"},
}

// replacedRules are the lines of a change that another request of systemd
// replaced: part of it may have been carried out.
var replacedRules = []rule{
	{re(`^Job for \S+ cancel+ed\.$`), FateUnknown,
		"another request took the place of this one in systemd: look at the unit before anything else"},
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
// exit code does not say: that sudo refused (SudoRefused), that the login runs
// no command (LoginRefused), or that monit's or systemd's client failed to ask
// its daemon (SupervisorSilent, or FateUnknown where a change was asked and may
// still be carried out). Detail then says what to do and quotes the line. Any
// other result is returned as it is.
//
// Of a change, a refusal is believed only where nothing but sudo, or the login,
// and known noise wrote to standard error: a program that runs under sudo may
// itself call sudo after it has acted.
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
			r.Detail += "; it may still carry it out"
		}
		return r
	}
	if found, line, ok := first(replacedRules, stderr); ok && c.Changes {
		return found.apply(r, line)
	}
	return r
}

// asksSupervisor reports whether a command runs a supervisor's client: other
// programs write lines like theirs of their own connections. A command without
// words counts as one.
func asksSupervisor(c Command) bool {
	return c.Sent == "" || strings.Contains(c.Sent, "monit") || strings.Contains(c.Sent, "systemctl") ||
		strings.Contains(c.Sent, "journalctl")
}

// classifySudo finds that sudo ran nothing. Where other lines stand beside a
// refusal, a change is left as answered: it failed, and may have acted before.
// Words of sudo that no rule has are shown whole.
func classifySudo(c Command, r Result, stderr []string) (Result, bool) {
	found, line, alone, ok := sudoRefusal(stderr)
	if ok {
		return found.apply(r, line), alone || !c.Changes
	}
	said, ok := sudoUnknown(stderr)
	if ok && r.Exit == 1 {
		r.Outcome, r.Detail = SudoRefused, "sudo ended the command, in words that are not understood: "+said
		return r, true
	}
	return r, false
}

// classifyQuiet finds the failures that come with exit code 0.
func classifyQuiet(r Result, stderr []string) Result {
	if found, line, ok := first(quietRules, stderr); ok {
		return found.apply(r, line)
	}
	stdout := r.Stdout
	if stdout.Total > 4096 {
		return r // monit's client says little; this is something else's output
	}
	said := lines(stdout)
	if found, line, ok := first(supervisorRules, stderr); ok && len(quiet(said)) == 0 {
		return found.apply(r, line) // monit 4 and some of 5 exit 0
	}
	reloads := false
	for _, line := range said {
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

// allMatch reports whether every line is one of the rules'.
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

// apply gives the result the rule's outcome, with what to do and the line that
// decided.
func (u rule) apply(r Result, line string) Result {
	r.Outcome, r.Detail = u.means, u.say+` (it wrote: `+line+`)`
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
