package trusted

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// credentialsVariable names the directory in which systemd puts the credentials of a service
// (systemd.exec(5)). The files belong to root. An access control list lets the user of the service
// read them. In the mode of a file, this looks like a right of the group.
const credentialsVariable = "CREDENTIALS_DIRECTORY"

// maxLinks limits how many symbolic links a path may follow.
const maxLinks = 40

// Source returns an error if another user could change the file at a path, and says how. It trusts
// a file on a read-only mount, such as a ConfigMap of Kubernetes, because only the account that
// mounted it can change the file.
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

// walk checks every part of a path. If it finds a link, it returns the path that remains to be
// checked.
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

// check checks one file or directory. A directory with the sticky bit may be writable for others,
// because they cannot replace files in it that are not theirs.
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

// another reports whether a file belongs to a user other than root and the bot's user.
func another(info fs.FileInfo) (uid uint32, theirs bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return s.Uid, s.Uid != 0 && int(s.Uid) != os.Geteuid()
}

// Secret returns an error if others can read the file of a secret. Only its owner may read it. Its
// group may also read it if the file is below systemd's credentials directory or on a read-only
// mount.
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
