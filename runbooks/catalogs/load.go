package catalogs

import (
	"cmp"
	"embed"
	"io/fs"
	"slices"
	"sync"
)

//go:embed *.yaml
var builtin embed.FS

// Builtin are the catalogs that the binary carries: "current"
// (process-runbooks.md) and "legacy-20200121"
// (process-runbooks-20200121.md and server-installation-20200121.md).
func Builtin() (Set, error) {
	catalogs, err := carried()
	return slices.Clone(catalogs), err
}

// carried reads once what cannot change: catalogs are not changed once
// loaded, so that everybody can have the same.
var carried = sync.OnceValues(func() (Set, error) { return Load(nil) })

// Load reads the builtin catalogs and lays the *.yaml files at the top of
// overlay over them; overlay may be nil. A file names the catalog that it is
// part of: in one that exists it may change keys of processes, replace
// actions and add both; any other name begins a new catalog. The error is
// Problems, and holds every one.
func Load(overlay fs.FS) (Set, error) {
	l := &loader{defined: map[string]int{}, broken: map[pos]bool{}}
	l.read(builtin, carriedDir)
	if overlay != nil {
		l.layer++
		l.read(overlay, "")
	}
	for _, c := range l.catalogs {
		l.check(c)
	}
	if len(l.problems) > 0 {
		slices.SortStableFunc(l.problems, func(a, b Problem) int {
			return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
		})
		return nil, slices.Compact(l.problems)
	}
	slices.SortFunc(l.catalogs, func(a, b *Catalog) int { return cmp.Compare(a.Name, b.Name) })
	return l.catalogs, nil
}

// carriedDir stands before the names of the files that the binary carries.
const carriedDir = "catalogs/"

// read reads the YAML files of a directory; under stands before their names in
// problems.
func (l *loader) read(files fs.FS, under string) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		l.report(pos{file: under}, "cannot be listed: %v", err)
		return
	}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			l.report(pos{file: under + name}, "cannot be read: %v", err)
			continue
		}
		l.file(under+name, data)
	}
}
