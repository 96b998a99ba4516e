package remote

import (
	"regexp"
	"strings"
)

// sudoRules match sudo's messages when it runs nothing: sudo 1.8 to 1.9 and sudo-rs, in the C
// locale that the wrapper sets.
var sudoRules = []rule{
	{re(`^sudo: (a password is required|interactive authentication is required|no password was provided)$`), SudoRefused,
		"sudo wants a password; the login has no NOPASSWD rule for exactly this command; add one to the host's sudoers"},
	{re(`^sudo: ([Aa] terminal is required to (read the password|authenticate)|no tty present and no askpass program|no askpass program specified|unable to read password)`), SudoRefused,
		"sudo wants to ask for a password: the login has no NOPASSWD rule for exactly this command; add one to the host's sudoers"},
	{re(`^sudo: (\d+ incorrect password attempts?|Maximum \d+ incorrect authentication attempts|[Aa]uthentication (failed|failure)|timed out$|timed out reading password)`), SudoRefused,
		"sudo wanted a password and got none: add a NOPASSWD rule for exactly this command to the host's sudoers"},
	{re(`^sudo: (sorry, you must have a tty to run sudo|TTY required)`), SudoRefused,
		"sudo insists on a terminal: add !requiretty for the login to the host's sudoers"},
	{re(`^sudo: (sorry, )?you are not allowed to (set the following environment variables|preserve the environment)`), SudoRefused,
		"sudo does not let the login set this environment variable: the host's sudoers rule needs SETENV"},
	{re(`^(sudo: )?Sorry, user \S+ (is not allowed to execute|may not run) `), SudoRefused,
		"sudo does not let the login run this command: add a rule for exactly this command to the host's sudoers"},
	{re(`^(sudo: )?\S+ is not (in the sudoers file|allowed to run sudo on )`), SudoRefused,
		"sudo has no rules for the login: add them to the host's sudoers"},
	{re(`^dhbot-sudo: not allowed$`), SudoRefused,
		"the host's wrapper for sudo does not allow this command: install there what bot sudoers --wrapper prints"},
	{re(`^sudo: (I'm sorry \S+ I'm afraid I can't do that|you are not (permitted|allowed) to )`), SudoRefused,
		"sudo does not let the login run this command: add a rule for exactly this command to the host's sudoers"},
	{re(`^sudo: (unknown (user|group)\b|(user|group) '.*' not found$)`), SudoRefused,
		"the user to run the command as does not exist on the host: check the process's user in the catalog"},
	{re(`^sudo: (unknown uid|you do not exist in the passwd database)`), SudoRefused,
		"the host cannot currently find the login's own user account: check the host's name service (sssd, LDAP)"},
	{re(`^sudo: \S+: (command not found|invalid command)$`), SudoRefused,
		"sudo found no such program on the host: check that Deephaven is installed there and that the path is right"},
	{re(`^sudo: (unable to|cannot) execute \S+: `), SudoRefused,
		"sudo could not start the program: check its permissions on the host"},
	{re(`^sudo: (parse error in |no valid sudoers sources found|unable to open \S*sudoers|invalid configuration: )`), SudoRefused,
		"the host's sudoers cannot be read: check it there with visudo -c"},
	{re(`(?i)^sudo: (account validation failure|account or password is expired|account expired|unable to change expired password|password expired)`), SudoRefused,
		"sudo says that the account of the login, or of the user to run the command as, is locked or expired, or that PAM has no account section for sudo: repair it on the host"},
	{re(`(?i)^sudo: (PAM |unable to initialize PAM|policy plugin failed session initialization)`), SudoRefused,
		"PAM on the host stopped sudo: check /etc/pam.d/sudo and the host's authentication log"},
	{re(`^sudo: (fatal error, unable to load plugins|unable to load |unable to initialize (policy|sudoers) )`), SudoRefused,
		"sudo cannot load its plugins: check how it is installed on the host (/etc/sudo.conf)"},
	{re(`^sudo: (effective uid is not 0|(sudo|\S+) must be (owned by uid 0 and have the setuid bit set|setuid root)|must be setuid root|The "no new privileges" flag is set|unable to (change to root gid|set supplementary group IDs|set runas group vector|change to runas uid|set user context)|PERM_\w+: )`), SudoRefused,
		"sudo cannot become another user on this host: check how it is installed and mounted, and that nothing sets \"no new privileges\""},
	{re(`^sudo: (unable to (fork|allocate (memory|pty)|create (pipe|sockets))|setrlimit\(\w+\) failed)`), SudoRefused,
		"sudo could not start the program: the host is short of memory, processes or terminals"},
	{re(`^sudo: (command rejected by|approval|I/O plugin error|error initializing I/O plugin)`), SudoRefused,
		"a plugin or the log server of sudo rejected the command: check the host's sudo_logsrvd or approval plugin"},
	{re(`^timeout: failed to run command .?sudo.?: `), SudoRefused,
		"the host has no sudo, or the login cannot start it"},
}

// sudoWarnings match lines after which sudo continues, or that only explain a message that
// sudoRules match.
var sudoWarnings = []*regexp.Regexp{
	re(`^sudo: error initializing audit plugin `),
	re(`^Sorry, try again\.$`),
	re(`^sudo: unable to (resolve host|send audit message|look up|lock time stamp file|update time ?stamp|get time of day|fetch|write to|stat|mkdir|chown|open /(run|var)/)`),
	re(`^sudo: unable to (open log|connect to log server|update sequence file|restore|set process priority|find terminal|dup|truncate time stamp)`),
	re(`^sudo: \S+ (is owned by (uid|gid) \d+, should be \d+|is (world|group) writable|should be mode 0\d+|exists but is not a directory|is not a regular file)`),
	re(`^sudo: \S+ must be (owned by uid \d+|only be writable by owner|only writable by owner|be only be writable by owner)$`),
	re(`^sudo: error in \S+, line \d+ while loading plugin `),
	re(`^sudo: (ldap_|LDAP|sss_|nss|setrlimit\(|problem with defaults entries|error in event loop|ignoring |invalid .* in \S+, line \d+|unsupported group source|time ?stamp|pam_)`),
	re(`^sudo: If sudo is running in a container, `),
	re(`^sudo: \S+sudoers\S*:\d+`),
	re(`^\S+sudoers\S*:\d+(:\d+)?: `),
	re(`^(We trust you have received the usual lecture|Administrator\. It usually boils down|\s*#[123]\) |For security reasons, the password|This incident (has been reported|will be reported)|\[sudo[:\]])`),
}

// sudoRefusal finds sudo's refusal and its line. The result alone is false if there are lines that
// are neither sudo's nor known noise.
func sudoRefusal(stderr []string) (found rule, line string, alone, ok bool) {
	found, line, ok = first(sudoRules, stderr)
	alone = true
	for _, other := range quiet(stderr) {
		if _, _, refused := first(sudoRules, []string{other}); !refused && !anyMatch(sudoWarnings, other) {
			alone = false
		}
	}
	return found, line, alone, ok
}

// sudoUnknown returns a message of sudo that no rule matches. The result ok is false if there are
// lines of other programs, or if the last line is only a warning.
func sudoUnknown(stderr []string) (message string, ok bool) {
	said := quiet(stderr)
	for _, line := range said {
		if !strings.HasPrefix(line, "sudo: ") {
			return "", false
		}
	}
	if len(said) == 0 || anyMatch(sudoWarnings, said[len(said)-1]) {
		return "", false
	}
	return strings.Join(said, " "), true
}
