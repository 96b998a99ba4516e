package dhbot

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The quotes in docs/troubleshooting.md are texts of the code.
func TestTroubleshootingQuotes(t *testing.T) {
	var code strings.Builder
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		code.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(string(page), "## In Slack")
	quotes := regexp.MustCompile(`“([^”…]+)”`).FindAllStringSubmatch(tables, -1)
	if len(quotes) < 20 {
		t.Errorf("only %d quotes were found", len(quotes))
	}
	for _, q := range quotes {
		if !strings.Contains(code.String(), q[1]) {
			t.Errorf("the page quotes “%s”, which is not in the code", q[1])
		}
	}
}

// The index names every page, and every link of the pages leads to a file that exists.
func TestDocsIndex(t *testing.T) {
	index, err := os.ReadFile("docs/README.md")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		name := filepath.Base(page)
		if name != "README.md" && !strings.Contains(string(index), "("+name) {
			t.Errorf("docs/README.md does not name %s", name)
		}
	}
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, page := range append(pages, "README.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s, which does not exist", page, m[1])
			}
		}
	}
}

// The page about the terminal names every code of a finding, and no other code.
func TestDocsNameEveryCode(t *testing.T) {
	source, err := os.ReadFile("internal/observe/code.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/terminal.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| Finding about | Codes |")
	table, _, _ = strings.Cut(table, "\n\n")
	codes := regexp.MustCompile(`Found\w+ +Code = "([a-z-]+)"`).FindAllStringSubmatch(string(source), -1)
	if named := strings.Count(table, "`") / 2; named != len(codes) || named == 0 {
		t.Errorf("the page names %d codes, but the code has %d", named, len(codes))
	}
	for _, c := range codes {
		if !strings.Contains(table, "`"+c[1]+"`") {
			t.Errorf("docs/terminal.md does not name %s", c[1])
		}
	}
}
