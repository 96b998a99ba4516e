package livecheck

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"dhbot/internal/fleet"
	"dhbot/internal/sshexec"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/sshdtest"
	"dhbot/internal/test/testenv"
	"dhbot/runbooks/catalogs"
)

// A live check reports a login shell that is not POSIX once, with the fix, and sends the host
// nothing else. A shell that prints text before every answer gets a hint, and the other checks
// still work. The shells run behind a real sshd.
func TestCheckLoginShells(t *testing.T) {
	catalogs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	catalog, _ := catalogs.Get("current")
	for name, tt := range map[string]struct {
		shell  string // how sshd runs a command line
		usable bool
		want   string // a text in the line about the shell, "" if there is no such line
	}{
		"bash":                     {`/bin/bash -c "$SSH_ORIGINAL_COMMAND"`, true, ""},
		"dash":                     {`/bin/dash -c "$SSH_ORIGINAL_COMMAND"`, true, ""},
		"tcsh":                     {`/bin/tcsh -c "$SSH_ORIGINAL_COMMAND"`, false, "usermod -s /bin/bash"},
		"fish":                     {`/usr/bin/fish -c "$SSH_ORIGINAL_COMMAND"`, false, "usermod -s /bin/bash"},
		"noisy bash":               {`echo NOTICE: maintenance at 02:00; exec /bin/bash -c "$SSH_ORIGINAL_COMMAND"`, true, "NOTICE: maintenance"},
		"noisy, on standard error": {`echo NOTICE: maintenance at 02:00 >&2; exec /bin/bash -c "$SSH_ORIGINAL_COMMAND"`, true, "NOTICE: maintenance"},
	} {
		t.Run(name, func(t *testing.T) {
			program, _, _ := strings.Cut(tt.shell, " ")
			if filepath.IsAbs(program) {
				testenv.Program(t, program)
			}
			s := sshdtest.Start(t, "ForceCommand "+tt.shell)
			pool, err := sshexec.New(sshexec.Config{Credentials: sshroute.Keys(s.KeyFile), KnownHosts: s.KnownHosts})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			cl := &fleet.Cluster{Name: "prod", Catalog: catalog.Name, Hosts: []fleet.Host{{Name: "infra-1", Address: s.Address, Login: s.Login}}}
			found, usable := checkShell(t.Context(), pool, &cl.Hosts[0], "prod/infra-1")
			if usable != tt.usable || len(found) != 0 && tt.want == "" || tt.want != "" && (len(found) != 1 || found[0].OK != usable || !strings.Contains(found[0].Text, tt.want)) {
				t.Errorf("usable: %v, %+v", usable, found)
			}
			all := checkHost(t.Context(), pool, catalog, cl, &cl.Hosts[0])
			told := 0
			for _, f := range all {
				if tt.want != "" && strings.Contains(f.Text, tt.want) {
					told++
				}
			}
			if !tt.usable && len(all) != 1 || tt.want != "" && told != 1 {
				t.Errorf("the check of the host: %s", fmt.Sprint(all))
			}
		})
	}
}
