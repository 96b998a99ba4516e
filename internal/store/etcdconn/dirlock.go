package etcdconn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sethvargo/go-retry"
)

// A second embedded server on one directory would hang without a message, so the directory is
// locked before etcd opens it. The kernel's lock ends with the process; the content of the file
// only tells people which process holds it.

// owner is the content of the lock file.
type owner struct {
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

// DirInUseError names the process that uses the state directory.
type DirInUseError struct {
	Dir   string
	PID   int       // 0 if unknown
	Since time.Time // when that process locked it
}

func (e *DirInUseError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d since %s", e.PID, e.Since.Format(time.RFC3339))
	}
	return fmt.Sprintf("the state directory %s is in use by %s: stop that bot, or set another state.dir", e.Dir, who)
}

// A lock may stay held for a moment after its release: a child process that is being started has a
// copy of the open file until it runs its program.
const (
	lockPatience = 2 * time.Second
	lockPause    = 50 * time.Millisecond
)

// lock locks a file with the kernel's lock. Its error wraps syscall.EWOULDBLOCK if another process
// holds the lock.
func lock(f *os.File) error {
	tries := retry.WithMaxDuration(lockPatience, retry.NewConstant(lockPause))
	return retry.Do(context.Background(), tries, func(context.Context) error {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return retry.RetryableError(err)
		}
		return err
	})
}

// lockDir creates the directory, for its owner only, and locks it until the file is closed.
func lockDir(dir string, now time.Time) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the state directory cannot be created: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the state directory must belong to the bot's own user: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the state directory cannot be locked: %w", err)
	}
	if err := lock(f); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("the state directory %s cannot be locked: %w", dir, err)
		}
		held := &DirInUseError{Dir: dir}
		var o owner
		if json.NewDecoder(f).Decode(&o) == nil {
			held.PID, held.Since = o.PID, o.Since
		}
		return nil, held
	}
	text, err := json.Marshal(owner{os.Getpid(), now.UTC().Truncate(time.Second)})
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt(append(text, '\n'), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the lock of the state directory cannot be written: %w", err), f.Close())
	}
	return f, nil
}
