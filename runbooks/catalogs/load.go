package catalogs

import (
	"cmp"
	"embed"
	"io/fs"
	"slices"
	"sync"

	"dhbot/internal/strictyaml"
)

//go:embed *.yaml
var builtin embed.FS

// Builtin returns the catalogs in the binary: "current" (process-runbooks.md) and "legacy-20200121"
// (process-runbooks-20200121.md and server-installation-20200121.md).
func Builtin() (Set, error) {
	catalogs, err := carried()
	return slices.Clone(catalogs), err
}

// carried loads the catalogs in the binary once. All callers share them, because loaded catalogs
// are read-only.
var carried = sync.OnceValues(func() (Set, error) { return Load(nil) })

// Load reads the catalogs in the binary, and merges the *.yaml files of the directory overlay into
// them. The argument overlay may be nil. A file names its catalog. If that catalog exists, the file
// may change keys of processes, replace actions, and add processes and actions. If not, the file
// creates it. The error is a strictyaml.Problems with every problem.
func Load(overlay fs.FS) (Set, error) {
	l := &loader{
		Reader:  strictyaml.Reader{Example: "docs/own-runbooks.md", Strict: true},
		defined: map[string]int{},
		broken:  map[strictyaml.Place]bool{},
	}
	l.read(builtin, carriedDir)
	if overlay != nil {
		l.layer++
		l.read(overlay, "")
	}
	for _, c := range l.catalogs {
		l.check(c)
	}
	if len(l.Problems) > 0 {
		l.Problems.Sort()
		return nil, l.Problems
	}
	slices.SortFunc(l.catalogs, func(a, b *Catalog) int { return cmp.Compare(a.Name, b.Name) })
	return l.catalogs, nil
}

// carriedDir begins the names of the files that are embedded in the binary.
const carriedDir = "catalogs/"

// read reads the YAML files of a directory. In a problem, prefix precedes the name of the file.
func (l *loader) read(files fs.FS, prefix string) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		l.report(strictyaml.Place{File: prefix}, "cannot be listed: %v", err)
		return
	}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			l.report(strictyaml.Place{File: prefix + name}, "cannot be read: %v", err)
			continue
		}
		l.file(prefix+name, data)
	}
}
