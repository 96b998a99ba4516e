package notes

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Compact rewrites the file without facts that are no longer needed. Call it before the store is
// used, because no one else may use the file.
func (n *Notes) Compact() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var b bytes.Buffer
	first, err := bufio.NewReader(io.NewSectionReader(n.f, 0, 4096)).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the notes of sent steps cannot be read: %w", err)
	}
	b.WriteString(first)
	limit := n.now().Add(-Keep - time.Hour)
	for id, r := range n.runs {
		switch {
		case r.ended.IsZero():
			fmt.Fprintf(&b, "run %s %d %d\n", id, r.count, r.rev)
			for step, who := range r.sent {
				fmt.Fprintf(&b, "sent %s %d %s\n", id, step, who)
			}
		case r.ended.After(limit):
			fmt.Fprintf(&b, "end %s %d %d %d\n", id, r.count, r.rev, r.ended.Unix())
		default:
			delete(n.runs, id)
		}
	}
	for key, at := range n.handled {
		if at.After(limit) {
			fmt.Fprintf(&b, "handled %s %d\n", key, at.Unix())
		} else {
			delete(n.handled, key)
		}
	}
	return n.replace(b.Bytes())
}

func (n *Notes) replace(text []byte) error {
	work := n.file + ".new"
	if err := os.Remove(work); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(work, os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync()); err == nil {
		err = os.Rename(work, n.file)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	old := n.f
	n.f, n.read = f, int64(len(text))
	return errors.Join(old.Close(), syncDir(filepath.Dir(n.file)))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
