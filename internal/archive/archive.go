package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Archive keeps segments of the trail and ended runs in a directory. Its methods are safe for
// concurrent use.
type Archive struct {
	dir string
	now func() time.Time // for comparison with times of the file system

	mu    sync.Mutex
	known map[string]known // by path of the segment
}

const (
	segmentDir = "trail"
	runDir     = "runs"
	// tempName is the pattern for the names of unfinished files.
	tempName = "unfinished-*"
)

// New returns the archive in a directory. The first file that is written creates the directory.
func New(dir string) *Archive { return &Archive{dir: dir, now: time.Now, known: map[string]known{}} }

// Dir is the directory of the archive.
func (a *Archive) Dir() string { return a.dir }

// PutRun stores the data of a run, and replaces data that was stored before.
func (a *Archive) PutRun(id string, data []byte) error {
	dir := filepath.Join(a.dir, runDir)
	f, err := a.create(dir)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(fmt.Errorf("archiving run %s: %w", id, err), discard(f))
	}
	return finish(f, filepath.Join(dir, id))
}

// Run returns the data that PutRun stored, or fs.ErrNotExist.
func (a *Archive) Run(id string) ([]byte, error) {
	if id != filepath.Base(id) {
		return nil, fmt.Errorf("run %q: %w", id, fs.ErrNotExist)
	}
	b, err := os.ReadFile(filepath.Join(a.dir, runDir, id))
	if err != nil {
		return nil, fmt.Errorf("the archived run %s cannot be read: %w", id, err)
	}
	return b, nil
}

// Files lists the files that a backup needs, relative to the archive's directory.
func (a *Archive) Files() ([]string, error) {
	var list []string
	for _, dir := range []string{segmentDir, runDir} {
		files, err := os.ReadDir(filepath.Join(a.dir, dir))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("the archive cannot be read: %w", err)
		}
		for _, f := range files {
			if unfinished, err := filepath.Match(tempName, f.Name()); err == nil && !unfinished {
				list = append(list, dir+"/"+f.Name())
			}
		}
	}
	return list, nil
}

// create makes an unfinished file in one of the archive's directories.
func (a *Archive) create(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the archive cannot be created: %w", err)
	}
	f, err := os.CreateTemp(dir, tempName)
	if err != nil {
		return nil, fmt.Errorf("the archive cannot be written: %w", err)
	}
	return f, nil
}

// finish makes an unfinished file durable, and gives the file its final name.
func finish(f *os.File, name string) error {
	err := f.Sync()
	if err != nil {
		err = errors.Join(err, discard(f))
	} else if err = f.Close(); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err == nil {
		err = syncDir(filepath.Dir(name))
	}
	if err != nil {
		return fmt.Errorf("%s was not archived: %w", filepath.Base(name), err)
	}
	return nil
}

// discard removes an unfinished file.
func discard(f *os.File) error { return errors.Join(f.Close(), os.Remove(f.Name())) }

// syncDir makes new file names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
