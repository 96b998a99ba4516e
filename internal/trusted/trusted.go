// Package trusted says who besides root and the bot's own user could decide what
// a file holds, or could read a secret in it: by its own mode and owner, and by
// those of every directory and link on the way to it.
package trusted

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// credentialsVariable names where systemd puts a service's credentials
// (systemd.exec(5)): files that root owns and that the service's user may read
// through an access control list, which shows as the group's right.
const credentialsVariable = "CREDENTIALS_DIRECTORY"

// maxLinks is how many links are followed on the way to a file.
const maxLinks = 40

// Source returns an error that names whatever lets another user change what a
// path leads to. What lies on a file system that is mounted read-only, such as
// a ConfigMap of Kubernetes, is changed only by the account that mounted it.
func Source(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	for range maxLinks {
		next, err := walk(path)
		if err != nil || next == "" {
			return err
		}
		path = next
	}
	return fmt.Errorf("%s leads through more than %d links", path, maxLinks)
}

// walk looks at every part of a path. Where one is a link it returns where the
// path leads from there.
func walk(path string) (next string, err error) {
	at := "/"
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if err := check(at, at != path); err != nil {
		return "", err
	}
	for i, part := range parts {
		at = filepath.Join(at, part)
		info, err := os.Lstat(at)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if err := check(at, i < len(parts)-1); err != nil {
				return "", err
			}
			continue
		}
		if owner, theirs := another(info); theirs && !readOnly(filepath.Dir(at)) {
			return "", fmt.Errorf("%s is a link of uid %d, which is neither root nor the bot's user", at, owner)
		}
		to, err := os.Readlink(at)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(at), to)
		}
		return filepath.Join(append([]string{to}, parts[i+1:]...)...), nil
	}
	return "", nil
}

// check looks at one file or directory. In a directory on the way with the
// sticky bit, others cannot replace what is not theirs.
func check(path string, onTheWay bool) error {
	info, err := os.Stat(path)
	if err != nil || readOnly(path) {
		return err
	}
	if owner, theirs := another(info); theirs {
		return fmt.Errorf("%s belongs to uid %d, which is neither root nor the bot's user", path, owner)
	}
	sticky := onTheWay && info.Mode()&fs.ModeSticky != 0
	if mode := info.Mode().Perm(); mode&0o022 != 0 && !sticky {
		return fmt.Errorf("others can write %s (mode %04o)", path, mode)
	}
	return nil
}

// another says that a file belongs to neither root nor the bot's user.
func another(info fs.FileInfo) (uid uint32, theirs bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return s.Uid, s.Uid != 0 && int(s.Uid) != os.Geteuid()
}

// Secret returns an error where another account could read a secret: a file may
// be readable for its owner alone, below systemd's credentials directory and in
// a read-only mount also for a group.
func Secret(path string, info fs.FileInfo) error {
	mode := info.Mode().Perm()
	if mode&0o077 == 0 || mode&0o037 == 0 && (isCredential(path) || readOnly(path)) {
		return nil
	}
	return fmt.Errorf("others can read %s (mode %04o)", path, mode)
}

func isCredential(path string) bool {
	dir := os.Getenv(credentialsVariable)
	if dir == "" {
		return false
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	if path, err = filepath.Abs(path); err != nil {
		return false
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return false
	}
	rest, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rest)
}
