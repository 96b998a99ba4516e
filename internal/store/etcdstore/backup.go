package etcdstore

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"dhbot/internal/audit"
)

// A backup is a tar file:
//
//	manifest.json        describes the backup, see Manifest
//	etcd.snapshot        a snapshot of the embedded etcd, with etcd's own hash
//	archive/trail/…      the archive's segments
//	archive/runs/…       the archive's runs
//	SHA256SUMS           a line for each file above, in the format of sha256sum
//
// SHA256SUMS comes last: a backup without it was cut off.
const (
	manifestName = "manifest.json"
	snapshotName = "etcd.snapshot"
	archiveName  = "archive/"
	sumsName     = "SHA256SUMS"
)

// Manifest describes a backup.
type Manifest struct {
	Format string    `json:"format"` // "dhbot-state"
	V      int       `json:"v"`      // 1
	At     time.Time `json:"at"`     // UTC
	// Head is the newest entry of the trail when the backup began. The backup may contain later
	// entries.
	Head audit.Head `json:"head"`
}

const manifestFormat = "dhbot-state"

// ErrNotEmbedded means that the state is in an external cluster, which the bot cannot back up.
var ErrNotEmbedded = errors.New("the state is in an external etcd: back it up with `etcdctl snapshot save`, and after that copy the archive directory")

// Backup writes the state of an embedded store and its archive as a tar file. The store stays in
// use, but nothing is archived during a backup.
func (s *Store) Backup(ctx context.Context, w io.Writer) (Manifest, error) {
	m := Manifest{Format: manifestFormat, V: 1, At: s.conf.Now().UTC().Truncate(time.Second)}
	if !s.etcd.Embedded() {
		return m, ErrNotEmbedded
	}
	s.archiving.Lock()
	defer s.archiving.Unlock()
	head, _, err := s.Head(ctx)
	if err != nil {
		return m, err
	}
	m.Head = audit.Head{N: head.N, Hash: head.Hash}
	snapshot, err := s.etcd.SnapshotFile(ctx)
	if err != nil {
		return m, fmt.Errorf("taking a snapshot of the state: %w", err)
	}
	defer os.Remove(snapshot)
	b := &backup{tar: tar.NewWriter(w), at: m.At}
	text, err := json.Marshal(m)
	if err != nil {
		return m, err
	}
	if err := b.add(manifestName, int64(len(text)), strings.NewReader(string(text))); err != nil {
		return m, err
	}
	if err := b.addFile(snapshotName, snapshot); err != nil {
		return m, err
	}
	if s.archive != nil {
		files, err := s.archive.Files()
		if err != nil {
			return m, err
		}
		for _, name := range files {
			if err := b.addFile(archiveName+name, filepath.Join(s.archive.Dir(), name)); err != nil {
				return m, err
			}
		}
	}
	return m, b.finish()
}

// backup is a tar file that is being written.
type backup struct {
	tar  *tar.Writer
	at   time.Time
	sums strings.Builder
}

func (b *backup) add(name string, size int64, r io.Reader) error {
	err := b.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: b.at, Format: tar.FormatPAX})
	if err == nil {
		sum := sha256.New()
		_, err = io.Copy(io.MultiWriter(b.tar, sum), r)
		fmt.Fprintf(&b.sums, "%s  %s\n", hexSum(sum), name)
	}
	if err != nil {
		return fmt.Errorf("writing %s of the backup: %w", name, err)
	}
	return nil
}

func (b *backup) addFile(name, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	return b.add(name, info.Size(), f)
}

func (b *backup) finish() error {
	sums := b.sums.String()
	return errors.Join(b.add(sumsName, int64(len(sums)), strings.NewReader(sums)), b.tar.Close())
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
