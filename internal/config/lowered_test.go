package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// own has test cases for a site's own runbooks. says is the problem that the runbook causes, or
// "" if it is accepted. allow is the line of the config that allows the runbook, or "" if no
// line can.
var own = map[string]struct{ runbook, says, allow string }{
	"a read that deletes": {`
actions:
  - {action: peek, title: x, about: cluster, class: read, level: 3, steps: [{kind: wait, at: configuration_server, run: [sudo, rm, -rf, /db/x], until: shown, timeout: 5s, within: 5s}]}
`, "class read of the action peek is too low: `sudo rm -rf /db/x` cannot be undone", "{catalog: current, action: peek, class: read, because: x}"},
	"a read by an unknown program": {`
actions:
  - {action: peek, title: x, about: cluster, class: read, level: 1, steps: [{kind: wait, at: configuration_server, run: [/opt/site/check.sh], until: shown, timeout: 5s, within: 5s}]}
`, "`/opt/site/check.sh` is not known to read", "{catalog: current, action: peek, class: read, because: x}"},
	"a read through a variable": {`
actions:
  - {action: peek, title: x, about: cluster, class: read, level: 1, steps: [{kind: wait, at: configuration_server, run: [env, LD_PRELOAD=/x.so, tail, /y], until: shown, timeout: 5s, within: 5s}]}
`, "is not known to read", "{catalog: current, action: peek, class: read, because: x}"},
	"a lower level of a process": {`
processes: [{id: db_dis, level: 3}]
`, "the level 3 of the process db_dis is too low: the catalog has db_dis at level", "{catalog: current, process: db_dis, level: 3, because: x}"},
	"a file written by a shell": {`
actions:
  - {action: dump, title: x, about: cluster, class: writes, level: 2, locks: [x], steps: [{kind: exec, at: configuration_server, run: [bash, -c, id], check: exit 0, timeout: 5s}]}
`, "the class writes of the action dump is too low", ""},
	"a lower level of a change": {`
actions:
  - {action: kick, title: x, about: cluster, class: disruptive, level: 3, locks: [x], steps: [{kind: exec, at: configuration_server, run: [/opt/kick], check: exit 0, timeout: 5s}]}
`, "the level 3 of the action kick is too low", "{catalog: current, action: kick, level: 3, because: x}"},
	"a built-in action at a lower level": {`
actions:
  - {action: restart, title: x, processes: [db_dis], class: disruptive, level: 3, locks: [x], steps: [{kind: exec, run: ["{monit}", restart, "{service}"], check: exit 0, timeout: 5s}]}
`, "the level 3 of the action restart is too low", "{catalog: current, action: restart, level: 3, because: x}"},
	"a destruction of a lower class": {`
actions:
  - {action: clean, title: x, about: cluster, class: disruptive, level: 1, locks: [x], steps: [{kind: exec, at: configuration_server, run: [sudo, find, /db/x, -delete], check: exit 0, timeout: 5s}]}
`, "the class disruptive of the action clean is too low", "{catalog: current, action: clean, class: disruptive, because: x}"},
	"a relative path": {`
actions:
  - {action: peek, title: x, about: cluster, class: disruptive, level: 1, locks: [x], steps: [{kind: exec, at: configuration_server, run: [./peek], check: exit 0, timeout: 5s}]}
`, "depends on the directory", ""},
	"an export into the system": {`
paths: {queries: /etc/cron.d}
`, "paths.queries: commands write files there, and /etc/cron.d is a directory of the system", ""},
	"a copy into the system through a changed path": {`
actions:
  - {action: snap, title: x, about: cluster, class: writes, level: 2, locks: [x], steps: [{kind: exec, at: configuration_server, run: [sudo, cp, -n, /data/x, "{path.jobs}/y"], check: exit 0, timeout: 5s}]}
paths: {jobs: /etc/cron.d}
`, "the class writes of the action snap is too low", ""},
	"a stop that looks like a status": {`
actions:
  - {action: peek, title: x, about: cluster, class: read, level: 1, steps: [{kind: wait, at: configuration_server, run: [sudo, systemctl, -p, status, stop, dh-etcd], until: shown, timeout: 5s, within: 5s}]}
`, "class read of the action peek is too low: `sudo systemctl -p status stop dh-etcd` changes a service", "{catalog: current, action: peek, class: read, because: x}"},
	"an abbreviated option": {`
actions:
  - {action: peek, title: x, about: cluster, class: read, level: 1, steps: [{kind: wait, at: configuration_server, run: [sudo, sort, "--outp=/etc/x", /y], until: shown, timeout: 5s, within: 5s}]}
`, "is not known to read", "{catalog: current, action: peek, class: read, because: x}"},
	"a program of a known name elsewhere": {`
actions:
  - {action: peek, title: x, about: cluster, class: read, level: 1, steps: [{kind: wait, at: configuration_server, run: [sudo, /opt/site/cat, /y], until: shown, timeout: 5s, within: 5s}]}
`, "is not known to read", "{catalog: current, action: peek, class: read, because: x}"},
	"monit in a directory of the site": {`
monit: [sudo, /opt/monit/bin/monit]
`, "", ""},
	"another monit": {`
monit: [sudo, bash, -c, x]
`, "is not a call of monit", ""},
	"a command that only reads": {`
actions:
  - {action: peek, title: x, about: cluster, class: read, level: 3, steps: [{kind: wait, at: configuration_server, run: [sudo, -u, irisadmin, tail, -n, "5", /var/log/x], until: shown, timeout: 5s, within: 5s}]}
`, "", ""},
}

// TestOwnRunbooksKeepTheFloors checks that a runbook below the required class or level is
// refused, unless the config has the line that allows it.
func TestOwnRunbooksKeepTheFloors(t *testing.T) {
	for name, tt := range own {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "own.yaml"), []byte("catalog: current\n"+tt.runbook), 0o600); err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(string(withRunbooks(dir)), ", market_feed", "")
			text = strings.ReplaceAll(text, "      infra-2: {adress: 10.0.0.6, processes: [db_dis]}\n", "")
			_, problems := Parse("dhbot.yaml", []byte(text))
			if got := problems.Error(); tt.says != "" && !(problems.Fatal() && strings.Contains(got, tt.says)) || tt.says == "" && problems.Fatal() {
				t.Errorf("problems: %v\nwant %q", problems, tt.says)
			}
			if tt.allow == "" {
				return
			}
			c, problems := Parse("dhbot.yaml", []byte(text+"lowered: ["+tt.allow+"]\n"))
			if strings.Contains(problems.Error(), tt.says) || len(c.Lowered) != 1 || !strings.Contains(c.Lowered[0], "because x") {
				t.Errorf("lowered %q: %v", c.Lowered, problems)
			}
		})
	}
}
