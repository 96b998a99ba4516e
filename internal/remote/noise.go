package remote

import "regexp"

// shellNoise matches lines that a login shell, its start-up files and PAM print around a command's
// output. These lines are not part of the output.
var shellNoise = []*regexp.Regexp{
	re(`(?i)\bwarning: setlocale: `),
	re(`(?i)\bcannot (set|change) (LC_|locale)`),
	re(`^perl: warning: `),
	re(`^\s+(LANGUAGE|LC_[A-Z]+|LANG) = .*,?$`),
	re(`^\s+are supported and installed on your system\.$`),
	re(`^\S*/(\.?(bash|zsh|csh|tcsh|ksh|mksh)rc|\.?bash\.bashrc|\.?(bash_|z|k)?profile|\.z(shenv|login)|\.login|csh\.(cshrc|login)|(profile|bashrc)\.d/\S+)(: line \d+|:\d+|: \d+|\[\d+\])?: `),
	re(`^(-?\w*sh: )?(stty|tput|tset|mesg|biff|tty|xauth|/usr/bin/xauth|manpath|dircolors): `),
	re(`^(TERM environment variable not set\.|No value for \$TERM and no -T specified)$`),
	re(`^Could not chdir to home directory `),
	re(`^(Last (failed )?login: |There (was|were) \d+ failed login attempts? |You have (new |old )?mail|No mail\.)`),
	re(`^(Agent pid \d+|Identity added: .*|Warning: Permanently added .*)$`),
	re(`^ERROR: ld\.so: object '.*' from LD_PRELOAD cannot be preloaded`),
}

// IsNoise reports whether a login shell or its start-up files printed a line.
func IsNoise(line string) bool { return anyMatch(shellNoise, line) }

// quiet are the lines without noise.
func quiet(lines []string) []string {
	var out []string
	for _, line := range lines {
		if !IsNoise(line) {
			out = append(out, line)
		}
	}
	return out
}
