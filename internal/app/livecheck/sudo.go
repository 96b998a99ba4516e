package livecheck

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"dhbot/internal/fleet"
	"dhbot/internal/remote"
	"dhbot/internal/sudoers"
	"dhbot/runbooks/catalogs"
)

// everything matches a rule that allows any command, as printed by `sudo -l`.
var everything = regexp.MustCompile(`(?m)^ +\((ALL|root)[^)]*\) NOPASSWD:( SETENV:)? ALL$`)

// askFirst matches a rule that needs a password.
var askFirst = regexp.MustCompile(`(?m)^ +\([^)]*\) (PASSWD:|/|ALL)`)

// checkSudo returns the lines that a host's sudoers file lacks for the catalog's commands. It asks
// sudo with `sudo -n -l` and `sudo --version`. For an old sudo, it asks the wrapper script, with the
// option --may. None of these runs a command of the catalog.
func checkSudo(ctx context.Context, on remote.Runner, cat *catalogs.Catalog, cl *fleet.Cluster, h *fleet.Host, about string) []Found {
	file, err := sudoers.For(cat, cl, h, sudoers.Options{User: h.Login})
	if err != nil {
		return []Found{{About: about, Text: "sudo: " + err.Error()}}
	}
	if len(file.Rules) == 0 {
		return nil
	}
	r := ask(ctx, on, h, []string{"sudo", "-n", "-l"})
	if !r.OK() {
		return []Found{{About: about, Text: fmt.Sprintf("sudo -n -l: %s; bot sudoers %s/%s prints the %d required lines", problemOf(r), cl.Name, h.Name, len(file.Rules))}}
	}
	if wrong := checkSudoVersion(ctx, on, h, about); wrong != nil {
		return wrong
	}
	listing := r.Stdout.String()
	all := everything.MatchString(listing)
	var lacks []Found
	for _, line := range file.Defaults() {
		if words := strings.Fields(line); !all && !strings.Contains(listing, strings.TrimSuffix(words[0], ",")) {
			lacks = append(lacks, Found{About: about, Text: fmt.Sprintf("sudoers lacks: Defaults:%s %s", h.Login, line)})
		}
	}
	for _, rule := range file.Rules {
		switch r := ask(ctx, on, h, rule.Ask()); {
		case r.OK():
		case r.Outcome == remote.Answered && r.Exit == 1:
			lacks = append(lacks, Found{About: about, Text: file.Lacks(rule)})
		default:
			return append(lacks, Found{About: about, Text: fmt.Sprintf("%s: %s", strings.Join(rule.Ask(), " "), problemOf(r))})
		}
	}
	if len(lacks) > 0 {
		return append(lacks, Found{About: about, Text: fmt.Sprintf("bot sudoers %s/%s prints the whole file; lines with ^…$ need sudo 1.9.10; for an older sudo, install the script that bot sudoers --wrapper prints", cl.Name, h.Name)})
	}
	text := fmt.Sprintf("sudo allows all %d commands of the catalog", len(file.Rules))
	switch {
	case all:
		text += fmt.Sprintf(", and everything else: bot sudoers %s/%s prints a file that allows only these commands", cl.Name, h.Name)
	case askFirst.MatchString(listing):
		text += "; sudo asks for a password for some rules of this account, and the last matching rule decides"
	}
	return []Found{{OK: true, About: about, Text: text}}
}

// checkSudoVersion reports a host whose sudo is older than the config says, or cannot be queried.
// It returns nil if there is no problem. A newer sudo is no problem, because it can also run the
// wrapper script for old versions.
func checkSudoVersion(ctx context.Context, on remote.Runner, h *fleet.Host, about string) []Found {
	r := ask(ctx, on, h, sudoers.VersionCommand)
	if !r.OK() {
		return []Found{{About: about, Text: "sudo --version: " + problemOf(r)}}
	}
	version, reads, err := sudoers.ReadVersion(r.Stdout.String())
	switch {
	case err != nil:
		return []Found{{About: about, Text: err.Error()}}
	case !reads && !h.OldSudo:
		return []Found{{About: about, Text: fmt.Sprintf(
			"sudo %s does not support regular expressions (1.9.10 and later do): set sudo_version: %q for this host, and install the script that bot sudoers --wrapper prints", version, version)}}
	}
	return nil
}
