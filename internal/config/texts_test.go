package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notKeys are names in texts that look like keys of the config.
var notKeys = []string{"slack.com", "state.key", "etcd.snapshot", "terminal.sock"}

// TestKeysInTexts checks that each text of the bot that names a key of the config, such as
// "state.dir", names a key that exists.
func TestKeysInTexts(t *testing.T) {
	mappings := map[string][]string{} // the keys of each mapping
	all := shapes(t)
	for _, keys := range all {
		for _, k := range keys {
			if of, more := part(k.shape); all[of] != nil && more == "" {
				for _, inner := range all[of] {
					mappings[k.name] = append(mappings[k.name], inner.name)
				}
			}
		}
	}
	dotted := regexp.MustCompile(`(?:^|[^\w./-])([a-z]+\d?)\.([a-z_]+\d?)`)
	found := 0
	for place, text := range literals(t) {
		for _, m := range dotted.FindAllStringSubmatch(text, -1) {
			keys, name := mappings[m[1]], m[1]+"."+m[2]
			if keys == nil || slices.Contains(notKeys, name) {
				continue
			}
			found++
			if !slices.Contains(keys, m[2]) {
				t.Errorf("%v: the config has no key %s", place, name)
			}
		}
	}
	if found < 30 {
		t.Errorf("found only %d keys in texts", found)
	}
}

// literals returns every string literal of the bot's code, except simulators and tests, by its place.
func literals(t *testing.T) map[token.Position]string {
	t.Helper()
	out := map[token.Position]string{}
	set := token.NewFileSet()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "test" || d.Name() == "sim"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				out[set.Position(lit.Pos())] = strings.Trim(lit.Value, "\"`")
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
