package livecheck

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/shell"

	"dhbot/internal/fleet"
	"dhbot/internal/remote"
	"dhbot/internal/sudoers"
	"dhbot/runbooks/catalogs"
)

// fakeSudo answers sudo -n -l from a list of allowed commands, and refuses any
// other command.
type fakeSudo struct {
	t       *testing.T
	version string // if empty, "Sudo version 1.9.13p3"
	listing string
	allowed func(argv []string) bool
	refuse  string
}

func (f fakeSudo) Run(_ context.Context, c remote.Command) remote.Result {
	words, err := shell.Fields(c.Sent, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	at := slices.Index(words, "sudo")
	if strings.HasSuffix(c.Sent, "env sudo --version") && !c.Changes {
		said := cmp.Or(f.version, "Sudo version 1.9.13p3\nSudoers policy plugin version 1.9.13p3")
		return remote.Result{Outcome: remote.Answered, Stdout: remote.Output{Head: []byte(said), Total: int64(len(said))}}
	}
	if i := slices.Index(words, fleet.SudoWrapper); i > 0 && words[i+1] == "--may" {
		words = slices.Concat(words[:at+2], []string{"-l"}, words[at+2:i], words[i+2:])
	}
	if at < 0 || len(words) < at+3 || words[at+1] != "-n" || words[at+2] != "-l" || c.Changes {
		f.t.Errorf("the check ran %q", c.Sent)
	}
	argv := words[at+3:]
	r := remote.Result{Outcome: remote.Answered}
	switch {
	case f.refuse != "":
		return remote.Result{Outcome: remote.SudoRefused, Detail: f.refuse}
	case len(argv) == 0:
		r.Stdout = remote.Output{Head: []byte(f.listing), Total: int64(len(f.listing))}
	case !f.allowed(argv):
		r.Exit = 1
	}
	return r
}

func TestCheckSudo(t *testing.T) {
	catalogs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	cat, _ := catalogs.Get("current")
	cl := &fleet.Cluster{Name: "prod", Catalog: "current", Hosts: []fleet.Host{
		{Name: "infra-1", Address: "10.0.0.5:22", Login: "dhops", Processes: []string{"db_dis", "etcd"}},
	}}
	h := &cl.Hosts[0]
	file, err := sudoers.For(cat, cl, h, sudoers.Options{User: "dhops"})
	if err != nil {
		t.Fatal(err)
	}
	listing := strings.Join(file.Defaults(), " ") + "\n    (irisadmin) NOPASSWD: /usr/bin/monit status db_dis\n"
	noRestart := func(argv []string) bool { return strings.Join(argv, " ") != "-u irisadmin monit restart db_dis" }
	anything := func([]string) bool { return true }
	for name, c := range map[string]struct {
		sudo fakeSudo
		ok   bool
		want string
	}{
		"all lines are there": {fakeSudo{listing: listing, allowed: anything}, true, "sudo allows all "},
		"one line is missing": {fakeSudo{listing: listing, allowed: noRestart}, false, "sudoers lacks: dhops ALL = (irisadmin) NOPASSWD: /usr/bin/monit restart db_dis"},
		"more than needed":    {fakeSudo{listing: "    (ALL : ALL) NOPASSWD: ALL\n", allowed: anything}, true, "and everything else"},
		"a password for some": {fakeSudo{listing: listing + "    (ALL) ALL\n", allowed: anything}, true, "asks for a password for some rules"},
		"sudo is too old":     {fakeSudo{version: "Sudo version 1.8.23", listing: listing, allowed: anything}, false, `sudo 1.8.23 does not support regular expressions (1.9.10 and later do): set sudo_version: "1.8.23" for this host`},
		"not Todd's sudo":     {fakeSudo{version: "sudo-rs 0.2.8", listing: listing, allowed: anything}, false, `sudo's version is not known from "sudo-rs 0.2.8"`},
		"sudo says nothing":   {fakeSudo{refuse: "a password is required"}, false, "refused by sudo: a password is required; bot sudoers prod/infra-1 prints"},
	} {
		t.Run(name, func(t *testing.T) {
			c.sudo.t = t
			found := checkSudo(t.Context(), c.sudo, cat, cl, h, "prod/infra-1")
			if len(found) == 0 || found[0].OK != c.ok || !strings.Contains(found[0].Text, c.want) || found[0].About != "prod/infra-1" {
				t.Errorf("found %+v", found)
			}
		})
	}
}

// TestCheckWrapper: if the config says that sudo is old, the check asks the wrapper script
// whether it would run each command. No command is run.
func TestCheckWrapper(t *testing.T) {
	catalogs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	cat, _ := catalogs.Get("current")
	cl := &fleet.Cluster{Name: "prod", Catalog: "current", Hosts: []fleet.Host{
		{Name: "infra-1", Address: "10.0.0.5:22", Login: "dhops", OldSudo: true, Processes: []string{"db_dis"}},
	}}
	h := &cl.Hosts[0]
	sudo := fakeSudo{t: t, version: "Sudo version 1.8.23", listing: "!env_keep, secure_path\n", allowed: func([]string) bool { return true }}
	if found := checkSudo(t.Context(), sudo, cat, cl, h, "prod/infra-1"); len(found) != 1 || !found[0].OK {
		t.Errorf("found %+v", found)
	}
	sudo.allowed = func(argv []string) bool { return strings.Join(argv, " ") != "-u irisadmin monit restart db_dis" }
	found := checkSudo(t.Context(), sudo, cat, cl, h, "prod/infra-1")
	if len(found) != 2 || found[0].OK || !strings.Contains(found[0].Text, "the wrapper lacks: allow irisadmin /usr/bin/monit 'monit#restart#db_dis'") {
		t.Errorf("found %+v", found)
	}
}
