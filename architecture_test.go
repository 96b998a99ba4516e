package dhbot

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// update rewrites the table from the code: go test . -update. Look at the diff
// before committing it: a new import is a decision.
var update = flag.Bool("update", false, "rewrite the import table of ARCHITECTURE.md")

type listed struct {
	ImportPath string
	Imports    []string
}

// goList returns every package of the module with its production imports.
func goList(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, p)
	}
}

// imports returns the packages of the module that each package imports. Packages
// under internal/test are left out: only tests import them.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, p := range goList(t) {
		name := strings.TrimPrefix(p.ImportPath, "dhbot/")
		if name == "dhbot" || strings.HasPrefix(name, "internal/test/") {
			continue
		}
		out[name] = []string{}
		for _, imp := range p.Imports {
			if own, ours := strings.CutPrefix(imp, "dhbot/"); ours {
				out[name] = append(out[name], own)
			}
		}
		slices.Sort(out[name])
	}
	return out
}

func rewrite(t *testing.T, real map[string][]string) {
	t.Helper()
	b, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), "<!-- imports -->")
	_, after, ok2 := strings.Cut(rest, "<!-- /imports -->")
	if !ok || !ok2 {
		t.Fatal("ARCHITECTURE.md has no place for the table")
	}
	var rows strings.Builder
	rows.WriteString("<!-- imports -->\n| Package | imports |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(real)) {
		list := "–"
		if len(real[name]) > 0 {
			list = "`" + strings.Join(real[name], "`, `") + "`"
		}
		rows.WriteString("| `" + name + "` | " + list + " |\n")
	}
	if err := os.WriteFile("ARCHITECTURE.md", []byte(before+rows.String()+"<!-- /imports -->"+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// documented reads the import table of ARCHITECTURE.md: package → the packages of
// the module that it imports.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	f, err := os.Open("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table := map[string][]string{}
	inside := false
	for sc := bufio.NewScanner(f); sc.Scan(); {
		line := strings.TrimSpace(sc.Text())
		switch {
		case line == "<!-- imports -->":
			inside = true
		case line == "<!-- /imports -->":
			return table
		case inside && strings.HasPrefix(line, "| `"):
			cells := strings.Split(line, "|")
			name := strings.Trim(cells[1], " `")
			for _, imp := range strings.Split(cells[2], ",") {
				if imp = strings.Trim(imp, " `"); imp != "" && imp != "–" {
					table[name] = append(table[name], imp)
				}
			}
			if table[name] == nil {
				table[name] = []string{}
			}
			slices.Sort(table[name])
		}
	}
	t.Fatal("ARCHITECTURE.md has no table between <!-- imports --> and <!-- /imports -->")
	return nil
}

// TestImportTable compares the imports with the table of ARCHITECTURE.md.
func TestImportTable(t *testing.T) {
	real := imports(t)
	if *update {
		rewrite(t, real)
	}
	table := documented(t)
	for name, got := range real {
		want, ok := table[name]
		switch {
		case !ok:
			t.Errorf("%s is not in the import table", name)
		case !slices.Equal(got, want):
			t.Errorf("%s imports %v, the table says %v", name, got, want)
		}
		delete(table, name)
	}
	for name := range table {
		t.Errorf("the import table names %s, which does not exist", name)
	}
}

// TestOneImporter checks that only the packages that talk to a platform import its library.
// Simulators may import it too, because they replace the platform.
func TestOneImporter(t *testing.T) {
	importers := map[string][]string{
		"github.com/slack-go/slack":    {"internal/slackio", "internal/slackio/blockkit", "internal/slackio/rate"},
		"golang.org/x/crypto/ssh":      {"internal/sshexec", "internal/sshexec/credential", "internal/sshexec/hostkey", "internal/sshroute", "internal/sshkey", "internal/sim/hostsim"},
		"go.etcd.io/etcd/client/v3":    {"internal/store/etcdconn", "internal/store/etcdstore", "internal/store/replicas", "internal/store/trail"},
		"go.etcd.io/etcd/server/v3":    {"internal/store/etcdconn"},
		"github.com/spf13/cobra":       {"cmd/bot"},
		"github.com/gorilla/websocket": {"internal/slackio", "internal/sim/slacklocal"},
	}
	for _, p := range goList(t) {
		name := strings.TrimPrefix(p.ImportPath, "dhbot/")
		if strings.HasPrefix(name, "internal/test/") {
			continue
		}
		for _, imp := range p.Imports {
			for lib, allowed := range importers {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.Contains(allowed, name) {
					t.Errorf("%s imports %s, but only %v may import it", name, imp, allowed)
				}
			}
		}
	}
}

// TestProductionStandsAlone checks that the bot's production packages import
// neither simulators nor test packages, so that no fake can reach production.
// Only the binary, which offers the demo, imports the simulators.
func TestProductionStandsAlone(t *testing.T) {
	for name, list := range imports(t) {
		for _, imp := range list {
			if strings.HasPrefix(imp, "internal/test/") {
				t.Errorf("%s imports the test package %s", name, imp)
			}
			maySimulate := name == "cmd/bot" || strings.HasPrefix(name, "internal/sim/")
			if strings.HasPrefix(imp, "internal/sim/") && !maySimulate {
				t.Errorf("%s imports the simulator %s", name, imp)
			}
		}
	}
}

// filesNamed matches the names of Go and YAML files in backquotes.
var filesNamed = regexp.MustCompile("`([a-z0-9/_.-]+\\.(?:go|yaml))`")

// TestWhereToChangeWhat checks that the paths of the table in ARCHITECTURE.md exist. A file
// name without a directory belongs to the last directory that was named before it in the
// same row.
func TestWhereToChangeWhat(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## Where to change what\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := 0
	for line := range strings.Lines(section) {
		dir := ""
		if m := regexp.MustCompile("`((?:[a-z]+/)+[a-z]+)`").FindStringSubmatch(line); m != nil {
			dir = m[1]
		}
		for _, m := range filesNamed.FindAllStringSubmatch(line, -1) {
			file := m[1]
			if !strings.Contains(file, "/") {
				file = path.Join(dir, file)
			}
			dir = path.Dir(file)
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%q names %s: %v", strings.TrimSpace(line), m[1], err)
			}
			rows++
		}
	}
	if rows < 30 {
		t.Errorf("the table names only %d files", rows)
	}
}

// TestFilesOfPackages checks the lists of files in package comments: each list must name
// every file of the package, and no other file.
func TestFilesOfPackages(t *testing.T) {
	entry := regexp.MustCompile(`(?m)^//   - ([a-z0-9_.]+\.go(?:, [a-z0-9_.]+\.go)*):`)
	docs := 0
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "doc.go" {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), "// # Files\n") {
			return err
		}
		docs++
		var named []string
		for _, m := range entry.FindAllStringSubmatch(string(text), -1) {
			named = append(named, strings.Split(m[1], ", ")...)
		}
		there, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*.go"))
		if err != nil {
			return err
		}
		for i := range there {
			there[i] = filepath.Base(there[i])
		}
		there = slices.DeleteFunc(there, func(f string) bool { return f == "doc.go" || strings.HasSuffix(f, "_test.go") })
		slices.Sort(named)
		if !slices.Equal(named, there) {
			t.Errorf("%s names %v, the package has %v", file, named, there)
		}
		return nil
	})
	if err != nil || docs < 10 {
		t.Errorf("%d lists of files, %v", docs, err)
	}
}

// TestKeysInEtcd checks that the package comment of etcdstore explains every key in etcd.
func TestKeysInEtcd(t *testing.T) {
	code, err := os.ReadFile("internal/store/keymap/keymap.go")
	if err != nil {
		t.Fatal(err)
	}
	comment, err := os.ReadFile("internal/store/etcdstore/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`(?:string\(k\) \+ "|"%s)([a-z/]+)`).FindAllStringSubmatch(string(code), -1)
	for _, key := range keys {
		if !regexp.MustCompile(`(?m)^//\t` + key[1] + `(\b|$)`).Match(comment) {
			t.Errorf("the package comment of internal/store/etcdstore does not explain the key %s", key[1])
		}
	}
	if len(keys) < 20 {
		t.Errorf("found only %d keys", len(keys))
	}
}
