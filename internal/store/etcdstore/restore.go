package etcdstore

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"

	"dhbot/internal/audit"
	"dhbot/internal/store/etcdconn"
)

// Restore creates a state directory from a backup. dir must be empty or not exist. Restore verifies
// the trail in the archive and the store, up to the head of the backup, and then moves the new
// directory into place. After an error it leaves nothing behind. The restored archive is in
// dir/archive.
func Restore(ctx context.Context, r io.Reader, dir string, log *slog.Logger) (Manifest, audit.Report, error) {
	if err := mustBeEmpty(dir); err != nil {
		return Manifest{}, audit.Report{}, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return Manifest{}, audit.Report{}, fmt.Errorf("restoring: %w", err)
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), ".restoring-*")
	if err != nil {
		return Manifest{}, audit.Report{}, fmt.Errorf("restoring: %w", err)
	}
	m, report, err := restoreInto(ctx, r, work, log)
	if err == nil {
		err = os.Remove(filepath.Join(work, "lock"))
	}
	if err == nil {
		err = os.Rename(work, dir) // replaces an empty directory
	}
	if err != nil {
		return m, report, errors.Join(fmt.Errorf("nothing was restored: %w", err), os.RemoveAll(work))
	}
	return m, report, nil
}

func mustBeEmpty(dir string) error {
	list, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("nothing was restored: %w", err)
	case len(list) > 0:
		return fmt.Errorf("nothing was restored: %s is not empty; move it, or name a new directory", dir)
	default:
		return nil
	}
}

func restoreInto(ctx context.Context, r io.Reader, work string, log *slog.Logger) (Manifest, audit.Report, error) {
	m, err := unpack(r, work)
	if err != nil {
		return m, audit.Report{}, err
	}
	if err := etcdconn.RestoreSnapshot(filepath.Join(work, snapshotName), work, log); err != nil {
		return m, audit.Report{}, fmt.Errorf("the snapshot in the backup cannot be restored: %w", err)
	}
	s, err := Open(ctx, Config{Dir: work, Archive: filepath.Join(work, "archive"), Log: log})
	if err != nil {
		return m, audit.Report{}, err
	}
	var o audit.Options
	if m.Head.N > 0 {
		o.Heads = []audit.Head{m.Head}
	}
	report, err := audit.Verify(audit.Entries(ctx, s, 1), o)
	return m, report, errors.Join(err, s.Close())
}

// unpack writes the files of a backup into a directory, and checks that none is missing or changed.
func unpack(r io.Reader, work string) (m Manifest, err error) {
	in := tar.NewReader(r)
	var sums strings.Builder
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return m, errors.New("the backup was cut off: its last file, " + sumsName + ", is missing")
		}
		if err != nil {
			return m, fmt.Errorf("this is not a backup, or it is damaged: %w", err)
		}
		if h.Name == sumsName {
			want, err := io.ReadAll(in)
			if err != nil {
				return m, fmt.Errorf("the backup is damaged: %w", err)
			}
			if string(want) != sums.String() {
				return m, errors.New("the backup is damaged: its files do not match " + sumsName)
			}
			break
		}
		if err := unpackFile(in, h, work, &sums); err != nil {
			return m, err
		}
	}
	text, err := os.ReadFile(filepath.Join(work, manifestName))
	if err != nil {
		return m, fmt.Errorf("this is not a backup: %w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil || m.Format != manifestFormat {
		return m, errors.New("this is not a backup of the bot's state: its manifest has another format")
	}
	if m.V != 1 {
		return m, fmt.Errorf("the backup has form %d, this program reads form 1: restore it with the version that wrote it", m.V)
	}
	return m, os.Remove(filepath.Join(work, manifestName))
}

func unpackFile(in io.Reader, h *tar.Header, work string, sums *strings.Builder) error {
	if h.Typeflag != tar.TypeReg || !known(h.Name) {
		return fmt.Errorf("the backup has an unexpected file: %q", h.Name)
	}
	name := filepath.Join(work, h.Name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, sum), in)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("unpacking %s of the backup (damaged, or the disk is full): %w", h.Name, err)
	}
	fmt.Fprintf(sums, "%s  %s\n", hexSum(sum), h.Name)
	return nil
}

// known reports whether a backup may contain a file of this name. It is safe to write such a file
// below a directory.
func known(name string) bool {
	if name == manifestName || name == snapshotName {
		return true
	}
	dir, file := path.Split(name)
	return (dir == archiveName+"trail/" || dir == archiveName+"runs/") && file != "" && file != "." && file != ".."
}
