package sudoers

import (
	"fmt"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"dhbot/internal/test/labtest"
)

// account is the account that the test creates on the lab's hosts. It has only the rights of the
// tested file.
const account = "dhbotleast"

// TestLab installs the printed file on real hosts and queries the real sudo. Sudo must allow the
// catalog's commands, and refuse similar commands. Commands that only read are also run.
func TestLab(t *testing.T) {
	hosts := labtest.Hosts(t)
	for _, f := range builtinFiles(t, false) {
		if _, ok := hosts[f.Host]; !ok {
			t.Fatalf("the lab has no host %s", f.Host)
		}
		t.Run(f.Catalog+" on "+f.Host, func(t *testing.T) {
			f.User = account
			labtest.Least(t, account, map[string]string{f.Host: f.String()})
			c := &cases{host: f.Host}
			for _, r := range f.Rules {
				c.ask(true, r.Ask())
				at := len(r.Ask()) - argCount(r)
				others := near(r.Ask()[at:])
				if r.Args[0] != '^' {
					others = others[:1] // without a regular expression one try is enough
				}
				for _, other := range others {
					c.ask(grants(t, f, r, other), append(r.Ask()[:at:at], other...))
				}
				c.ask(false, append([]string{"sudo", "-n", "-l", "-u", "nobody"}, r.Ask()[at-1:]...))
			}
			for _, r := range f.Rules {
				if r.Args == "status tailer1" { // this process runs on every host of the lab
					c.ask(true, r.Example)
				}
			}
			if f.Host == "infra" {
				get := []string{"/usr/illumon/latest/bin/etcdctl.sh", "get", "--prefix", "/main/config/schema/", "--keys-only"}
				values := append([]string{"env", "DH_ETCD_USER=schema-ro"}, get[:len(get)-1]...)
				c.ask(true, append([]string{"sudo", "-n", "-u", "irisadmin"}, get...))
				c.ask(true, append([]string{"sudo", "-n", "-u", "irisadmin"}, values...))
				c.ask(false, append([]string{"sudo", "-n", "-u", "irisadmin", "DH_ETCD_USER=schema-ro"}, get...))
				c.ask(false, append([]string{"sudo", "-n", "-u", "irisadmin", "LD_PRELOAD=/x.so"}, get...))
				c.ask(false, append([]string{"sudo", "-n", "-E", "-u", "irisadmin"}, get...))
			}
			c.ask(false, []string{"sudo", "-n", "-l", "sh"})
			c.ask(false, []string{"sudo", "-n", "-l", "monit", "quit"})
			c.run(t)
		})
	}
}

// argCount returns the number of arguments of the program in the rule's example.
func argCount(r Rule) int {
	for i, w := range r.Example {
		if w == nameOf(r) {
			return len(r.Example) - i - 1
		}
	}
	return 0
}

// grants reports whether any rule of the file allows these arguments for the program and the
// account of r.
func grants(t *testing.T, f *File, r Rule, args []string) bool {
	for _, o := range f.Rules {
		if o.RunAs == r.RunAs && o.Program == r.Program && allows(t, o)(args) {
			return true
		}
	}
	return false
}

// cases are commands that the account tries in one session.
type cases struct {
	host   string
	want   []bool
	script strings.Builder
}

func (c *cases) ask(want bool, argv []string) {
	words := make([]string, len(argv))
	for i, a := range argv {
		q, err := syntax.Quote(a, syntax.LangBash)
		if err != nil {
			return // no shell can pass it
		}
		words[i] = q
	}
	c.want = append(c.want, want)
	fmt.Fprintf(&c.script, "%s >/dev/null 2>&1; echo $?\n", strings.Join(words, " "))
}

func (c *cases) run(t *testing.T) {
	t.Helper()
	script := "cat > /run/" + account + ".sh <<'END'\n" + c.script.String() + "END\ncd /; su " + account + " -c 'bash -s' < /run/" + account + ".sh; rm /run/" + account + ".sh"
	out, err := labtest.AsRoot(c.host, script)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answers := strings.Fields(string(out))
	lines := strings.Split(c.script.String(), "\n")
	if len(answers) != len(c.want) {
		t.Fatalf("%d answers to %d questions:\n%s", len(answers), len(c.want), out)
	}
	for i, want := range c.want {
		if got := answers[i] == "0"; got != want {
			t.Errorf("allowed %v, want %v: %s", got, want, lines[i])
		}
	}
	t.Logf("%d questions", len(answers))
}
