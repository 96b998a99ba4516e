package sshexec

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"dhbot/internal/remote"
)

// knownHosts is the known_hosts file, read again when it has changed: a host
// key that an operator adds or replaces counts from the next dial on.
type knownHosts struct {
	path string

	mu       sync.Mutex
	db       *knownhosts.HostKeyDB
	modified time.Time
	size     int64
}

// current returns the file as it is now.
func (k *knownHosts) current() (*knownhosts.HostKeyDB, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.path == "" {
		return nil, errors.New("no known_hosts file is configured: set ssh.known_hosts")
	}
	info, err := os.Stat(k.path)
	if err != nil {
		return nil, fmt.Errorf("known hosts: %w; write the hosts' keys there (ssh-keyscan prints them: compare them on the hosts)", err)
	}
	if k.db != nil && info.ModTime().Equal(k.modified) && info.Size() == k.size {
		return k.db, nil
	}
	db, err := knownhosts.NewDB(k.path)
	if err != nil {
		return nil, fmt.Errorf("known hosts: %w", err)
	}
	k.db, k.modified, k.size = db, info.ModTime(), info.Size()
	return db, nil
}

// check returns what to tell the SSH client of one host: the key types to ask
// for, those of its known keys first so that the known one is shown where the
// host has several, and the judge of the key it shows.
func (k *knownHosts) check(address string) (algorithms []string, judge ssh.HostKeyCallback, err error) {
	db, err := k.current()
	if err != nil {
		return nil, nil, &failure{remote.HostKeyWrong, err.Error()}
	}
	known := db.HostKeyCallback()
	judge = func(name string, from net.Addr, shown ssh.PublicKey) error {
		if err := known(name, from, shown); err != nil {
			return k.explain(err, address, shown)
		}
		return nil
	}
	return db.HostKeyAlgorithms(address), judge, nil
}

// explain says what is wrong with the key that a host has shown.
func (k *knownHosts) explain(err error, address string, shown ssh.PublicKey) error {
	seen := fmt.Sprintf("%s %s", shown.Type(), ssh.FingerprintSHA256(shown))
	var mismatch *xknownhosts.KeyError
	var revoked *xknownhosts.RevokedError
	switch {
	case errors.As(err, &revoked):
		return &failure{remote.HostKeyWrong, fmt.Sprintf(
			"%s showed a host key that %s marks as revoked (%s): somebody may be between you and the host", address, k.path, seen)}
	case errors.As(err, &mismatch) && len(mismatch.Want) == 0:
		return &failure{remote.HostKeyWrong, fmt.Sprintf(
			"the host key of %s is unknown (it showed %s): compare it on the host, then add it to %s", address, seen, k.path)}
	case errors.As(err, &mismatch):
		return &failure{remote.HostKeyWrong, fmt.Sprintf(
			"the host key of %s has changed (it showed %s, known is %s of line %d): unless the host was reinstalled, somebody may be between you and it; once sure, replace that line in %s",
			address, seen, ssh.FingerprintSHA256(mismatch.Want[0].Key), mismatch.Want[0].Line, k.path)}
	default:
		return &failure{remote.HostKeyWrong, fmt.Sprintf("the host key of %s (%s) is not accepted: %v", address, seen, err)}
	}
}
