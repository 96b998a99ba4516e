package sudoers

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"mvdan.cc/sh/v3/shell"

	"dhbot/internal/fleet"
	"dhbot/internal/test/testenv"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
	"dhbot/runbooks/planner"
)

// site is a catalog with everything that matters to sudo: fixed words, choices,
// patterns, listed paths, variables, and commands for which no rule can be
// made.
const site = `
catalog: site
title: A site
monit: [sudo, -u, irisadmin, monit]
paths: {logs: /srv/logs, etcd_client: /srv/etcd}
processes:
  - {id: alpha, title: Alpha, level: 1, impact: All., manager: monit, service: alpha, placement: every, logs: {dir: a, app: [Alpha.log]}}
  - {id: beta, title: Beta, level: 1, impact: All., manager: monit, service: beta, placement: query, logs: {dir: b}}
actions:
  - action: restart
    title: restart
    managers: [monit]
    class: disruptive
    locks: ["{host}/monit"]
    steps:
      - {kind: wait, run: ["{monit}", status, "{service}"], until: supervised, timeout: 15s, within: 15s}
      - {kind: exec, run: ["{monit}", restart, "{service}"], check: "exit 0, no output", timeout: 60s}
  - action: status
    title: status
    managers: [monit]
    class: read
    steps:
      - {kind: wait, run: ["{monit}", status, "{service}"], until: answers, timeout: 15s, within: 15s}
      - {kind: wait, run: [tail, -n, "400", "{app_logs}"], app_log: true, until: ready, timeout: 15s, within: 15s}
  - action: tables
    title: tables
    processes: [alpha]
    class: read
    params: [{name: how, type: choice, choices: [keep, replace], optional: true}]
    steps:
      - {kind: wait, run: [sudo, mysql, -e, "select * from a, b where x=1"], until: answers, timeout: 15s, within: 15s}
      - {kind: wait, run: [sudo, import, "--how={param.how}"], until: answers, timeout: 15s, within: 15s}
      - {kind: wait, run: [sudo, reload], until: answers, timeout: 15s, within: 15s}
  - action: values
    title: values
    processes: [alpha]
    class: sensitive
    params: [{name: user, type: user, default: schema-ro}, {name: lines, type: int, min: 1, max: 500, default: "100"}]
    steps:
      - {kind: wait, run: [sudo, -u, irisadmin, env, DH_ETCD_USER=schema-ro, /opt/etcdctl.sh, get], until: answers, timeout: 15s, within: 15s}
      - {kind: wait, run: [sudo, -u, irisadmin, env, "DH_ETCD_DIR={etcd_client}/{param.user}", /opt/etcdctl.sh, get, "--limit={param.lines}"], until: answers, timeout: 15s, within: 15s}
  - action: clean
    title: clean
    processes: [beta]
    class: destructive
    level: 1
    locks: ["x"]
    steps:
      - {kind: list, list: paths, run: [sudo, -u, dbmerge, ls, -d, /db/Intraday/x], match: '/db/Intraday(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}){4}', most: 50, timeout: 15s}
      - {kind: list, list: names, run: [ls, /x], match: '[^/]+', most: 50, timeout: 15s}
      - {kind: list, list: flags, run: [ls, /y], match: '[a-z-]+', most: 50, timeout: 15s}
      - {kind: list, list: ups, run: [ls, /z], match: '/db/[a-z./]+', most: 50, timeout: 15s}
      - {kind: exec, run: [sudo, rm, "{listed.ups}"], check: exit 0, timeout: 60s}
      - {kind: exec, run: [sudo, -u, dbmerge, rm, -r, --, "{listed.paths}"], check: exit 0, timeout: 60s}
      - {kind: exec, run: [sudo, rm, "{listed.names}"], check: exit 0, timeout: 60s}
      - {kind: exec, run: [sudo, rm, "{listed.flags}"], check: exit 0, timeout: 60s}
      - {kind: exec, run: [sudo, -E, rm, x], check: exit 0, timeout: 60s}
      - {kind: exec, run: [sudo, -u, irisadmin, DH_ETCD_USER=schema-ro, /opt/etcdctl.sh, get], check: exit 0, timeout: 60s}
`

func siteFile(t *testing.T, host string, oldSudo bool) *File {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "site.yaml"), []byte(site), 0o600); err != nil {
		t.Fatal(err)
	}
	cs, err := catalogs.Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	cat, _ := cs.Get("site")
	cl := &fleet.Cluster{Name: "prod", Catalog: "site", Hosts: []fleet.Host{
		{Name: "infra", Address: "10.0.0.1:22", Processes: []string{"alpha"}},
		{Name: "query", Address: "10.0.0.2:22", Processes: []string{"beta"}, Monit: []string{"sudo", "monit"}},
	}}
	h, _ := cl.Host(host)
	h.OldSudo = oldSudo
	f, err := For(cat, cl, h, Options{User: "dhops", Paths: map[string]string{"mysql": "/opt/bin/mysql"}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// rulesOf returns the lines of the file that allow something.
func rulesOf(f *File) (out []string) {
	for line := range strings.Lines(f.String()) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// The settings of the account in every file.
const (
	noTerminal = `Defaults:dhops !env_keep, env_reset, !setenv, always_set_home, !requiretty`
	searchPath = `Defaults:dhops secure_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"`
	workDir    = `Defaults:dhops runcwd = /, !runchroot`
)

func TestRules(t *testing.T) {
	for name, c := range map[string]struct {
		host string
		old  bool
		want []string
	}{
		"infra": {"infra", false, []string{
			noTerminal, searchPath, workDir,
			`dhops ALL = (irisadmin) NOPASSWD: /usr/bin/monit status`,
			`dhops ALL = (irisadmin) NOPASSWD: /usr/bin/monit status alpha`,
			`dhops ALL = (irisadmin) NOPASSWD: /usr/bin/monit restart alpha`,
			`dhops ALL = (root) NOPASSWD: /opt/bin/mysql -e select \* from a\, b where x\=1`,
			`dhops ALL = (root) NOPASSWD: /usr/bin/import ""`,
			`dhops ALL = (root) NOPASSWD: /usr/bin/import --how\=keep`,
			`dhops ALL = (root) NOPASSWD: /usr/bin/import --how\=replace`,
			`dhops ALL = (root) NOPASSWD: /usr/bin/reload ""`,
			`dhops ALL = (irisadmin) NOPASSWD: /usr/bin/env DH_ETCD_USER\=schema-ro /opt/etcdctl.sh get`,
			`dhops ALL = (irisadmin) NOPASSWD: /usr/bin/env ^DH_ETCD_DIR=/srv/etcd/[a-z][0-9a-z-]{0,63} /opt/etcdctl\.sh get --limit=([1-9](([0-9])?)|[1-4][0-9][0-9]|500)$`,
		}},
		"a host with its own monit": {"query", false, []string{
			noTerminal, searchPath, workDir,
			`dhops ALL = (root) NOPASSWD: /usr/bin/monit status`,
			`dhops ALL = (root) NOPASSWD: /usr/bin/monit status beta`,
			`dhops ALL = (root) NOPASSWD: /usr/bin/monit restart beta`,
			`dhops ALL = (dbmerge) NOPASSWD: /usr/bin/ls -d /db/Intraday/x`,
			`dhops ALL = (dbmerge) NOPASSWD: /usr/bin/rm ^-r -- /db/Intraday(/[0-9A-Z_a-z][.0-9A-Z_a-z-]{0,127}){4}( /db/Intraday(/[0-9A-Z_a-z][.0-9A-Z_a-z-]{0,127}){4})*$`,
		}},
		"an old sudo": {"query", true, []string{
			noTerminal, searchPath,
			`dhops ALL = (dbmerge, root) NOPASSWD: /usr/local/libexec/dhbot-sudo`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := rulesOf(siteFile(t, c.host, c.old))
			slices.Sort(got)
			slices.Sort(c.want)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestLeftOut: a command that cannot be expressed exactly is not allowed, and
// the file lists it.
func TestLeftOut(t *testing.T) {
	f := siteFile(t, "query", false)
	for _, want := range []string{
		"clean beta: sudo rm <(?:[^/]+)>",
		"clean beta: sudo rm <(?:[a-z-]+)>",
		"can match an option",
		"can match a path with ..",
		"clean beta: sudo -E rm x",
		"sudo's option -E",
		"clean beta: sudo -u irisadmin DH_ETCD_USER=schema-ro /opt/etcdctl.sh get",
		"write env NAME=value",
	} {
		if !strings.Contains(f.String(), want) {
			t.Errorf("the file lacks %q:\n%s", want, f)
		}
	}
	if len(f.LeftOut) != 5 {
		t.Errorf("left out: %+v", f.LeftOut)
	}
	if old := siteFile(t, "query", true); len(old.LeftOut) != 5 {
		t.Errorf("left out for an old sudo: %+v", old.LeftOut)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{
		{},
		{User: "dh ops"},
		{User: "%wheel"},
		{User: "ALL ALL=(ALL) NOPASSWD: ALL\n"},
		{User: "dhops", Paths: map[string]string{"monit": "monit"}},
		{User: "dhops", Paths: map[string]string{"monit": "/usr/../bin/monit"}},
		{User: "dhops", Paths: map[string]string{"monit": "/usr/bin/*"}},
	} {
		if err := o.check(); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

// builtin returns the built-in catalogs, and a fleet with a small cluster of each generation.
func builtin(t testing.TB) (catalogs.Set, *fleet.Fleet) {
	t.Helper()
	cs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet.Fleet{}
	for _, c := range cs {
		cl := fleet.Cluster{Name: c.Name, Catalog: c.Name, Hosts: []fleet.Host{
			{Name: "infra", Address: "10.0.0.1:22", Login: "dhops"},
			{Name: "query1", Address: "10.0.0.2:22", Login: "dhops"},
		}}
		for _, p := range c.Processes() {
			if p.Placement != catalogs.OnQuery {
				cl.Hosts[0].Processes = append(cl.Hosts[0].Processes, p.ID)
			}
			if p.Placement != catalogs.OnInfra {
				cl.Hosts[1].Processes = append(cl.Hosts[1].Processes, p.ID)
			}
		}
		f.Clusters = append(f.Clusters, cl)
	}
	return cs, f
}

func builtinFiles(t testing.TB, oldSudo bool) (out []*File) {
	t.Helper()
	cs, f := builtin(t)
	for i := range f.Clusters {
		cl := &f.Clusters[i]
		cat, _ := cs.Get(cl.Catalog)
		for j := range cl.Hosts {
			cl.Hosts[j].OldSudo = oldSudo
			file, err := For(cat, cl, &cl.Hosts[j], Options{User: "dhops"})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, file)
		}
	}
	return out
}

// TestBuiltin checks every rule of the built-in catalogs. Its line must have no wildcard, and
// exactly one program with all arguments written out. It must allow the rule's example, but no
// similar command.
func TestBuiltin(t *testing.T) {
	shape := regexp.MustCompile(`^dhops ALL = \([a-z]+\) NOPASSWD: /[A-Za-z0-9_./-]+ (""|\^.*\$|[^^].*)$`)
	wild := regexp.MustCompile(`(^|[^\\])[*?[]`)
	for _, f := range builtinFiles(t, false) {
		if len(f.LeftOut) > 0 {
			t.Errorf("%s/%s leaves out %+v", f.Cluster, f.Host, f.LeftOut)
		}
		if len(f.Rules) < 10 {
			t.Errorf("%s/%s has only %d rules", f.Cluster, f.Host, len(f.Rules))
		}
		for _, r := range f.Rules {
			if line := f.Line(r); !shape.MatchString(line) || r.Args[0] != '^' && wild.MatchString(r.Args) {
				t.Errorf("%s/%s: %s", f.Cluster, f.Host, line)
			}
			args := r.Example[slices.Index(r.Example, nameOf(r))+1:]
			allowed := allows(t, r)
			if !allowed(args) {
				t.Errorf("%s does not allow its example %q", f.Line(r), r.Example)
			}
			for _, other := range near(args) {
				if allowed(other) && !slices.ContainsFunc(f.Rules, func(o Rule) bool { return o.Args == strings.Join(other, " ") }) {
					t.Errorf("%s allows %q", f.Line(r), other)
				}
			}
		}
	}
}

// TestRemovalsStayBelowTheirRoots: the account dbmerge may only remove a path below the documented
// directories, and only if the path has the form of one day of one table.
func TestRemovalsStayBelowTheirRoots(t *testing.T) {
	const day, other = "/db/Intraday/Order/Event/infra_1/2018-02-09", "/db/Intraday/Order/Event/p.2/2018-02-09"
	const states, details = "/db/TempFiles/dbmerge/db_dis/", "/db/Systems/Order/ImportDetails/"
	forms := map[string][]string{
		"current": {"-r " + day, "-r " + day + " " + other},
		"legacy-20200121": {
			"-r " + day, "-r " + day + " " + other,
			states + "p.1/2018-02-09/Order.Event.userstate", states + "p.1/2018-02-09/Order.Event.2018-02-09+1.bin.header",
			states + "p.1.2018-02-09.Order.Event.loaderState", details + "p.1/2018-02-09/Event.importDetails",
		},
	}
	never := []string{
		"-r", "-r /", "-r /db/Intraday", "-r /db/Intraday/Order/Event/infra_1", "-r /db/Systems/Order/Event/infra_1/2018-02-09",
		"-rf " + day, "-r -- " + day, "-r " + day + "/", "-r " + day + "/Event", "-r " + day + " /etc", "-r /etc " + day, "-r " + day + "  " + other,
		"-r /db/Intraday/../Order/Event/2018-02-09", "-r /db/Intraday/Order/../Event/2018-02-09", "-r /db/Intraday/Order/Event/../2018-02-09",
		"-r /db/Intraday/Order/Event/infra_1/..", "-r /db/Intraday/Order/Event/*/2018-02-09", "-r /db/Intraday/Order/Event/.hidden/2018-02-09",
		"-r /db/Intraday/Order/Event/infra_1/2018-13-09", "-r /db/Intraday/Order/Event/infra_1/2018-02-39", "-r /db/Intraday/Order/Ev.ent/p/2018-02-09",
		"-r /tmp" + day, "-r .." + day, "-r " + day[1:], states + "p.1/2018-02-09/../x.userstate", states + "../../p.1/2018-02-09/Order.Event.userstate",
		"-r " + states + "p.1/2018-02-09/Order.Event.userstate", "/db/Systems/Order/p.1/2018-02-09/Event.importDetails", details + "p.1/2018-02-09/..importDetails",
	}
	for _, f := range builtinFiles(t, false) {
		if f.Host != "infra" {
			continue
		}
		may := func(line string) bool {
			return slices.ContainsFunc(f.Rules, func(r Rule) bool {
				return r.RunAs == "dbmerge" && r.Program == "/usr/bin/rm" && allows(t, r)(strings.Split(line, " "))
			})
		}
		for _, line := range forms[f.Catalog] {
			if !may(line) {
				t.Errorf("%s does not allow rm %s", f.Catalog, line)
			}
		}
		for _, line := range never {
			if may(line) {
				t.Errorf("%s allows rm %s", f.Catalog, line)
			}
		}
	}
}

// nameOf returns the name of the program in the rule's example.
func nameOf(r Rule) string {
	if slices.Contains(r.Example, r.Program) {
		return r.Program
	}
	return filepath.Base(r.Program)
}

// allows returns a function that reports whether a rule allows arguments, as sudo would decide.
func allows(t *testing.T, r Rule) func(args []string) bool {
	t.Helper()
	switch {
	case r.Args == `""`:
		return func(args []string) bool { return len(args) == 0 }
	case r.Args[0] == '^':
		re, err := regexp.Compile(r.Args)
		if err != nil {
			t.Fatalf("%s: %v", r.Args, err)
		}
		return func(args []string) bool { return re.MatchString(strings.Join(args, " ")) }
	default:
		line := escape.ReplaceAllString(r.Args, "$1")
		return func(args []string) bool { return strings.Join(args, " ") == line }
	}
}

var escape = regexp.MustCompile(`\\(.)`)

// near returns argument lists that differ from args in one step. For example, they have one word
// more or less, or ".." in place of a path component.
func near(args []string) (out [][]string) {
	out = append(out, append(slices.Clone(args), "x"), append([]string{"--x"}, args...), append(slices.Clone(args), "*"))
	for i, a := range args {
		with := func(s string) []string { c := slices.Clone(args); c[i] = s; return c }
		out = append(out, with("-"+a+"-"), with(a+" x"), with(a+";id"), with(a+"\nid"), with(a+"|id"), with("$("+a+")"))
		parts := strings.Split(a, "/")
		for j := range parts {
			if len(parts) > 1 && j > 0 {
				climb := slices.Clone(parts)
				climb[j] = ".."
				out = append(out, with(strings.Join(climb, "/")))
			}
		}
	}
	return out
}

// TestPlansAreAllowed: every command that a plan sends through sudo is allowed
// by a rule of its host.
func TestPlansAreAllowed(t *testing.T) {
	cs, fl := builtin(t)
	planner := &planner.Planner{Catalogs: cs, Fleet: fl}
	checked := 0
	for _, f := range builtinFiles(t, false) {
		cat, _ := cs.Get(f.Catalog)
		for _, p := range cat.Processes() {
			for _, action := range []string{"status", "restart", "start", "stop"} {
				plan, err := planner.Plan(runbooks.Inputs{Cluster: f.Cluster, Action: action, Process: p.ID, Hosts: []string{f.Host}})
				if err != nil {
					continue // it does not run there
				}
				for _, s := range plan.Steps {
					words, err := shell.Fields(s.Command, nil)
					if err != nil {
						t.Fatal(err)
					}
					if s.Host != f.Host || words[0] != "sudo" {
						continue
					}
					checked++
					sent := append([]string{"sudo", "-n"}, words[1:]...)
					if !slices.ContainsFunc(f.Rules, func(r Rule) bool { return slices.Equal(r.Example, sent) }) {
						t.Errorf("%s on %s: no rule allows %q", plan.Title, s.Host, sent)
					}
				}
			}
		}
	}
	if checked < 200 {
		t.Errorf("only %d commands were checked", checked)
	}
}

// TestVisudo checks every file with visudo, sudo's own checker.
func TestVisudo(t *testing.T) {
	visudo := testenv.Program(t, "visudo")
	for _, f := range append(builtinFiles(t, false), siteFile(t, "infra", false), siteFile(t, "query", false), siteFile(t, "query", true)) {
		name := filepath.Join(t.TempDir(), "sudoers")
		if err := os.WriteFile(name, []byte(f.String()), 0o440); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(visudo, "-c", "-f", name).CombinedOutput(); err != nil {
			t.Errorf("%s/%s: %v\n%s\n%s", f.Cluster, f.Host, err, out, f)
		}
	}
}
