package lint

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dhbot/internal/test/testenv"
	"dhbot/runbooks/catalogs"
)

var update = flag.Bool("update", false, "write the golden files; read them line by line afterwards")

func linter(t testing.TB) *Linter {
	t.Helper()
	cs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(cs, "")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// golden compares all findings of some pages with a golden file.
func golden(t *testing.T, name string, pages []string) {
	t.Helper()
	var b strings.Builder
	for _, p := range pages {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range linter(t).Page(filepath.Base(p), text) {
			b.WriteString(f.String() + "\n")
		}
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); d != "" {
		t.Errorf("run with -update, and read what changed:\n%s", d)
	}
}

// TestSeeds checks the findings in the five runbooks from which the catalogs were made. They are
// not part of the repository; DHBOT_SEEDS can name their directory (testenv.Runbooks).
func TestSeeds(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(testenv.Runbooks(t), "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "seeds.golden", pages)
}

// TestPages checks the findings in small pages of our own: one in Markdown and one that has lost
// its Markdown, each with a correct version.
func TestPages(t *testing.T) {
	golden(t, "pages.golden", []string{"testdata/wrong.md", "testdata/wrong-plain.md"})
	for _, name := range []string{"right.md", "right-plain.md"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range linter(t).Page(name, text) {
			t.Errorf("a finding in a correct line: %s", f)
		}
	}
}

// TestCommands checks each rule with lines that break it and similar lines that do not.
// Each line is a block of its own, in the section of db_dis.
func TestCommands(t *testing.T) {
	l := linter(t)
	for _, c := range []struct {
		command string
		want    string // the rules, in order
	}{
		{"sudo -u irisadmin monit restart db_dis", ""},
		{"sudo -u irisadmin monit restart db_ltds", "wrong-process"},
		{"sudo -u irisadmin monit status db_ltds", "wrong-process"},
		{"cat /var/log/deephaven/dis/DataImportServer.log.current", ""},
		{"cat /var/log/deephaven/ltds/LocalTableDataServer.log.current", "wrong-process"},
		{"ls -ltr /var/log/deephaven/dis/db_dis.log.????-??-??", ""},
		{"ls -ltr /var/log/deephaven/ltds/db_ltds.log.????-??-??", "wrong-process"},
		{"sudo -u irisadmin monit restart disc", "unknown-service"},
		{"sudo -u irisadmin monit summary", ""},
		{"sudo monit restart db_dis", "differs"},
		{"monit restart db_dis", "no-sudo"},
		{"systemctl restart dh-etcd", "wrong-process no-sudo"},
		{"systemctl status dh-etcd", "wrong-process"},
		{"sudo chown irisadmin:dbquery", "no-operand"},
		{"sudo chown irisadmin:dbquery /etc/x.p12", ""},
		{"sudo cp a", "no-operand"},
		{"sudo chmod 440 /etc/x.p12", ""},
		{"sudo true; /etc/x.p12", "not-a-program"},
		{"/usr/illumon/latest/install/dbacl_init.sh", ""},
		{"cat a=b.prop >> x.prop", "cat-for-echo not-twice"},
		{"echo a=b.prop > x.prop", ""},
		{"sudo -p mkdir /x", "sudo-option"},
		{"sudo mkdir -p /x", ""},
		{"sudo -p 'Password:' mkdir /x", ""},
		{"X=1 sudo /usr/bin/x.sh", "environment"},
		{"sudo X=1 /usr/bin/x.sh", "environment"},
		{"sudo -E /usr/bin/x.sh", "environment"},
		{"mv /etc/a /etc/b", "no-sudo"},
		{"cd /etc; mv a b", "no-sudo"},
		{"cd /srv; mv a b", ""},
		{"sudo mv /etc/a /etc/b", ""},
		{"echo x > /etc/x", "no-sudo"},
		{"sudo -u irisadmin monit reload", "reload"},
		{"sudo monit reload", ""},
		{"watch sudo monit summary", "never-ends"},
		{"sudo journalctl -xefu dh-etcd", "never-ends"},
		{"sudo journalctl -xu dh-etcd", "unbounded"},
		{`sudo journalctl -xu dh-etcd --since "1 hour ago"`, ""},
		{"sudo journalctl -u dh-etcd -n 200 --no-pager", ""},
		{"tail -f /var/log/x", "never-ends"},
		{"tail -n 200 /var/log/x", ""},
		{"tail --follow=name /var/log/x", "never-ends"},
		{"less /var/log/x", "never-ends"},
		{"cat - | openssl x509 -text", "never-ends"},
		{"cat x | openssl x509 -text", ""},
		{"cat", "never-ends"},
		{"sudo mysql -D dbacl_iris", "never-ends"},
		{"sudo mysql -D dbacl_iris < x.sql", ""},
		{`sudo mysql -D dbacl_iris -e "show tables"`, ""},
		{`sudo mysql -D dbacl_iris -e "select * from tableacls"`, "unbounded"},
		{`sudo mysql -D dbacl_iris -e "select * from tableacls limit 50"`, ""},
		{"sudo cat /var/log/mariadb/mariadb.log", "unbounded"},
		{"sudo ls /srv/*.db", "glob-before-sudo"},
		{"sudo ls '/srv/*.db'", ""},
		{`sudo ls /srv/\*.db`, ""},
		{"ls /srv/*.db", ""},
		{"ls $DIR", "unquoted"},
		{`ls "$DIR"`, ""},
		{"ls /srv/[date]", "placeholder"},
		{"ls /srv/[0-9] /srv/[abc]", ""},
		{"ls '/srv/[date]'", ""},
		{"echo ${names[index]}", "unquoted"},
		{"ls <file name>", "placeholder"},
		{`ls "<file name>"`, ""},
		{"cat <in >out", ""},
		{"cat <in>out", ""},
		{"rm -r /db/Intraday/Order", "destructive"},
		{"rm /db/Intraday/*", "destructive"},
		{"rm /db/Intraday/x", ""},
		{"sudo rm -rf /srv/x", "destructive"},
		{"/usr/illumon/latest/bin/backup_deephaven --all --retain 7", "destructive"},
		{"/usr/illumon/latest/bin/backup_deephaven --all", ""},
		{"sudo /usr/illumon/latest/bin/dhconfig pq import --file /srv/x.xml --retainSerial=replace", "destructive"},
		{"openssl pkcs12 -export -passout pass:x -out x.p12", "secret"},
		{"openssl pkcs12 -export -passout file:x -out x.p12", ""},
		{`curl --header "X: $TOKEN" https://x`, "secret"},
		{"mysqldump --password=x db", "secret"},
		{"sudo save --file /tmp/x.xml", "shared-tmp"},
		{"sudo save --file=/tmp/x.xml", "shared-tmp"},
		{"save --file /tmp/x.xml", ""},
		{"sudo -u irisadmin etcdctl.sh snapshot save /backup/x.db", "snapshot"},
		{"sudo -u irisadmin etcdctl.sh snapshot save --endpoints=https://a:2379 /backup/x.db", ""},
		{"sudo -u irisadmin etcdctl.sh snapshot save --endpoints=https://a:2379 /backup/$(date +%F).db", "snapshot"},
		{"sudo -u irisadmin etcdctl.sh snapshot status /backup/*.db", "glob-before-sudo snapshot"},
		{"sudo -u irisadmin etcdctl.sh snapshot status /backup/x.db", ""},
		{"echo x >> y", "not-twice"},
		{"cp x x.ORG", "not-twice"},
		{"cp -n x x.ORG", ""},
		{"cp x y; echo z > x", "not-twice"},
		{"cp x y; echo z > w", ""},
		{"sudo true; for f in a b; do sudo rm -r \"$f\"; done", "destructive"},
		{"this is (no shell; at all", ""},
		{"sudo if then", ""},
	} {
		t.Run(c.command, func(t *testing.T) {
			page := "## Data Import Server\n\nCheck process is running:\n\n```\n" + c.command + "\n```\n"
			var got []string
			for _, f := range l.Page("x.md", []byte(page)) {
				if f.Line != 6 {
					t.Errorf("line %d: %s", f.Line, f)
				}
				got = append(got, f.Rule)
			}
			if strings.Join(slices.Compact(got), " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestLineNumbers checks the line numbers in a page with a header, a list, a quotation,
// continued lines and Windows line ends.
func TestLineNumbers(t *testing.T) {
	page := strings.ReplaceAll("---\ntitle: x\n---\n\n# A\n\n- Do this:\n\n  ```sh\n  sudo true\n  watch x\n  ```\n\n> Or `watch y` and\n> `sudo cat /var/log/x.log`.\n\n```\nsudo true \\\n  a && \\\n  less b\n```\n", "\n", "\r\n")
	var got []int
	for _, f := range linter(t).Page("x.md", []byte(page)) {
		got = append(got, f.Line)
	}
	if d := cmp.Diff([]int{11, 14, 15, 20}, got); d != "" {
		t.Error(d)
	}
}

func TestInSentence(t *testing.T) {
	for s, want := range map[string][]string{
		"Reload monit with sudo monit reload.":                                           {"sudo monit reload"},
		"On each node, run sudo monit summary. This should show a list.":                 {"sudo monit summary"},
		"Use sudo cp to copy the jar (x.jar) to /etc/x.":                                 {"sudo cp"},
		"Configure it: sudo /usr/x/set.sh with arguments":                                {"sudo /usr/x/set.sh"},
		"Install: sudo yum install x":                                                    {"sudo yum install x"},
		"(sudo -p mkdir <path that is missing>) and then use sudo touch <the path>/x to": {"sudo -p mkdir <path that is missing>", "sudo touch <the path>/x"},
		"do sudo x unpackage <ordinal of the server> The ordinal is":                     {"sudo x unpackage <ordinal of the server>"},
		"For example, run cat - | openssl x509 -text and paste":                          {"cat - | openssl x509 -text"},
		"You need sudo.":                       nil,
		"Access with pseudo sudo":              nil,
		"First sudo monit stop all; then wait": {"sudo monit stop all;"},
		"Run the tool and read what it says":   nil,
	} {
		if got := inSentence(s); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestCatalogOfPage(t *testing.T) {
	l := linter(t)
	for page, want := range map[string]string{"process-runbooks.md": "current", "process-runbooks-20200121.md": "legacy-20200121", "ours.md": "current"} {
		if got := l.about(page).catalog.Name; got != want {
			t.Errorf("%s: %s", page, got)
		}
	}
	cs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(cs, "currant"); err == nil || !strings.Contains(err.Error(), `no catalog "currant"; known: current`) {
		t.Errorf("an unknown catalog: %v", err)
	}
	if l, err = New(cs, "legacy-20200121"); err != nil || l.about("process-runbooks.md").catalog.Name != "legacy-20200121" {
		t.Errorf("the requested catalog is not used: %v", err)
	}
}

// FuzzPage checks that no page makes the linter fail, and that every finding names a line
// of the page.
func FuzzPage(f *testing.F) {
	for _, name := range []string{"wrong.md", "wrong-plain.md", "right.md"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("---\n---\n```\nsudo ‹0› ‹99› <a b> \\\n\n```")
	f.Add("sudo rm \\\n")
	l := linter(f)
	f.Fuzz(func(t *testing.T, page string) {
		for _, x := range l.Page("x.md", []byte(page)) {
			if x.Line < 1 || x.Line > strings.Count(page, "\n")+1 || x.Text == "" || x.Rule == "" {
				t.Errorf("%s", x)
			}
		}
	})
}

// TestService: service(8) expects the name of a service and a verb. A program of the
// catalog is not a service.
func TestService(t *testing.T) {
	cs, err := catalogs.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(cs, "legacy-20200121")
	if err != nil {
		t.Fatal(err)
	}
	for command, found := range map[string]bool{
		"sudo service iris controller_tool --reload":                       true,
		"sudo /usr/illumon/latest/bin/iris controller_tool --reload":       false,
		"sudo service monit restart":                                       false,
		"sudo service iris controller_tool":                                false, // not a command of the catalog
		"sudo service controller_tool --reload":                            false,
		"sudo service /usr/illumon/latest/bin/iris controller_tool --help": false,
	} {
		got := l.Page("x.md", []byte("```\n"+command+"\n```\n"))
		if (len(got) == 1 && got[0].Rule == "differs" && strings.Contains(got[0].Text, "controller-reload")) != found || !found && len(got) > 0 {
			t.Errorf("%s: %v", command, got)
		}
	}
}
