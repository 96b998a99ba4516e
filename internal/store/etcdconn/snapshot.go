package etcdconn

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.etcd.io/etcd/server/v3/embed"
)

// unfinishedSnapshot is the pattern of the names of unfinished snapshots.
const unfinishedSnapshot = "snapshot-*"

// sweepSnapshots removes the snapshot of a process that died during a backup. The caller holds the
// lock of the directory.
func sweepSnapshots(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, unfinishedSnapshot))
	errs := []error{err}
	for _, name := range left {
		errs = append(errs, os.Remove(name))
	}
	return errors.Join(errs...)
}

// SnapshotFile writes a snapshot of etcd into the state directory and returns the file's name.
func (c *Conn) SnapshotFile(ctx context.Context) (name string, err error) {
	r, err := c.client.Snapshot(ctx)
	if err != nil {
		return "", Down("taking a snapshot", err)
	}
	f, err := os.CreateTemp(c.conf.Dir, unfinishedSnapshot)
	if err != nil {
		return "", errors.Join(err, r.Close())
	}
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Close(), r.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// RestoreSnapshot creates the etcd data of a state directory from a snapshot, and removes the
// snapshot. The data describes a cluster with one member, as embeddedConfig expects.
func RestoreSnapshot(file, dir string, log *slog.Logger) error {
	c := embed.NewConfig()
	err := snapshot.NewV3(newZap(log)).Restore(snapshot.RestoreConfig{
		SnapshotPath: file, Name: c.Name, OutputDataDir: filepath.Join(dir, "etcd"),
		PeerURLs: []string{c.AdvertisePeerUrls[0].String()}, InitialCluster: c.InitialClusterFromName(c.Name),
		InitialClusterToken: c.InitialClusterToken,
	})
	return errors.Join(err, os.Remove(file))
}
