package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dhbot/internal/strictyaml"
	"dhbot/internal/trusted"
	"dhbot/runbooks/catalogs"
)

// ownRunbooks loads the built-in catalogs and merges the site's own runbooks into them. If the
// directory of runbooks cannot be used, ownRunbooks reports a problem and returns nil, and then
// no names of processes are checked.
func (b *builder) ownRunbooks(v strictyaml.Value) catalogs.Set {
	if !v.There() {
		catalogs, err := catalogs.Builtin()
		return b.loaded("", catalogs, err)
	}
	dir := from(b.dir, v.Text())
	b.config.Runbooks = dir
	names, err := ownFiles(dir)
	switch {
	case err != nil:
		v.Problem(fmt.Sprintf("%s cannot be read: %s", dir, reason(err)), "name a directory of *.yaml files that the bot's user can read, or remove the key runbooks")
		return nil
	case len(names) == 0:
		v.Problem(dir+" holds no *.yaml file", "write one there (docs/own-runbooks.md shows how), or remove the key runbooks")
		return nil
	}
	b.own = files{v, dir, names}
	if err := b.hashRunbooks(dir, names); err != nil {
		v.Problem(fmt.Sprintf("%s cannot be read: %s", dir, reason(err)), "let the bot's user read every file there")
		return nil
	}
	catalogs, err := catalogs.Load(os.DirFS(dir))
	return b.loaded(dir, catalogs, err)
}

// files are the site's own runbooks.
type files struct {
	strictyaml.Value
	dir   string // "" for none
	names []string
}

// ownFiles returns the sorted names of the .yaml files in a directory of runbooks. A .yml file is
// an error, because catalogs.Load would not read it.
func ownFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		switch {
		case e.IsDir():
		case filepath.Ext(e.Name()) == ".yaml":
			names = append(names, e.Name())
		case filepath.Ext(e.Name()) == ".yml":
			return nil, fmt.Errorf("%s would not be read: its name does not end in .yaml", e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// checkWriters reports runbooks that other accounts could change, because runbooks decide which
// commands run.
func (f files) checkWriters() {
	if f.dir == "" {
		return
	}
	for _, name := range append([]string{"."}, f.names...) {
		path := filepath.Join(f.dir, name)
		if err := trusted.Source(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // reported when it was read
			f.Problem(err.Error()+": another account could decide which commands run", closed)
		}
	}
}

// hashRunbooks adds the runbooks to the config's hash, because replicas must have the same
// runbooks.
func (b *builder) hashRunbooks(dir string, names []string) error {
	h := sha256.New()
	fmt.Fprintln(h, b.config.Hash)
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%q %d\n", name, len(data))
		h.Write(data)
	}
	b.config.Hash = fmt.Sprintf("%x", h.Sum(nil))
	return nil
}

// loaded returns the catalogs, or reports their problems and returns nil.
func (b *builder) loaded(dir string, list catalogs.Set, err error) catalogs.Set {
	if err == nil {
		return list
	}
	var problems strictyaml.Problems
	if !errors.As(err, &problems) {
		problems = strictyaml.Problems{{File: dir, What: err.Error()}}
	}
	b.addOwn(dir, problems)
	return nil
}

// addOwn adds problems of runbooks, with the paths of their files.
func (b *builder) addOwn(dir string, problems strictyaml.Problems) {
	for _, p := range problems {
		p.File = runbookFile(dir, p.File)
		b.Add(p)
	}
}

// runbookFile returns the path of a runbook that has a problem. A name with "/" is a built-in
// runbook, which the runbooks of the directory have made invalid.
func runbookFile(dir, name string) string {
	if strings.Contains(name, "/") {
		return "built in " + name
	}
	return filepath.Join(dir, name)
}
