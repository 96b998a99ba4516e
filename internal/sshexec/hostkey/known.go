package hostkey

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"dhbot/internal/sshroute"
	"dhbot/internal/trusted"
)

// Known is the known_hosts file. The file is read again when it changes, so a new or replaced key
// is used from the next dial. As in OpenSSH, unusable lines are skipped. If the whole file is
// missing or has no usable line, for example while it is being written, the last good copy stays in
// use.
type Known struct {
	path string
	log  *slog.Logger

	mu       sync.Mutex
	db       *knownhosts.HostKeyDB
	skipped  []SkippedLine
	modified time.Time
	size     int64
	version  int    // how often the file was read
	warned   string // the last logged problem of an unusable file
}

// Open reads a known_hosts file. If the file cannot be used now, each check reads it again.
func Open(path string, log *slog.Logger) (*Known, error) {
	k := &Known{path: path, log: log}
	_, _, err := k.current()
	return k, err
}

// current returns the current file, or its last good copy.
func (k *Known) current() (*knownhosts.HostKeyDB, []SkippedLine, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.reload()
	if err == nil {
		k.warned = ""
		return k.db, k.skipped, nil
	}
	if k.db == nil {
		return nil, nil, err
	}
	if k.warned != err.Error() {
		k.warned = err.Error()
		k.log.Warn("known_hosts cannot be used: the last good copy stays in use", "why", err)
	}
	return k.db, k.skipped, nil
}

// reload reads the file if it has changed.
func (k *Known) reload() error {
	if k.path == "" {
		return errors.New("no known_hosts file is configured: set ssh.known_hosts")
	}
	info, err := os.Stat(k.path)
	if err != nil {
		return fmt.Errorf("known hosts: %w; add the keys of the hosts to the file (ssh-keyscan prints the keys: compare them on the hosts)", err)
	}
	if err := trusted.Source(k.path); err != nil {
		return fmt.Errorf("known hosts: %w: another account could decide which host keys are trusted", err)
	}
	if k.db != nil && info.ModTime().Equal(k.modified) && info.Size() == k.size {
		return nil
	}
	db, used, skipped, err := readKnownHosts(k.path)
	switch {
	case err != nil:
		return err
	case used == 0 && len(skipped) > 0:
		return fmt.Errorf("known hosts: %s has no usable line: %s:%d: %s", k.path, k.path, skipped[0].Line, skipped[0].Why)
	case used == 0 && k.db != nil:
		return fmt.Errorf("known hosts: %s no longer has a key", k.path)
	}
	for _, s := range skipped {
		k.log.Warn("a line of known_hosts was skipped", "file", k.path, "line", s.Line, "why", s.Why)
	}
	k.db, k.skipped = db, skipped
	k.modified, k.size = info.ModTime(), info.Size()
	k.version++
	return nil
}

// readKnownHosts reads a known_hosts file.
func readKnownHosts(path string) (db *knownhosts.HostKeyDB, used int, skipped []SkippedLine, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, nil, fmt.Errorf("known hosts: %w", err)
	}
	clean, used, skipped := usableLines(data)
	if string(clean) != string(data) {
		// The library reads only files, so the usable lines are copied to a file.
		copied, err := copyFor(clean)
		if err != nil {
			return nil, 0, nil, fmt.Errorf("known hosts: %w", err)
		}
		defer os.Remove(copied)
		path = copied
	}
	db, err = knownhosts.NewDB(path)
	if err != nil {
		return nil, 0, nil, fmt.Errorf("known hosts: %w", err)
	}
	return db, used, skipped, nil
}

// copyFor writes a temporary file.
func copyFor(data []byte) (path string, err error) {
	f, err := os.CreateTemp("", "known_hosts-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// IsNewer reports whether known_hosts was read again after the given version. now is the current
// version.
func (k *Known) IsNewer(version int) (now int, newer bool) {
	_, _, err := k.current()
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.version, err == nil && k.version != version
}

// Check returns two settings of the SSH client for one host. algorithms are the key types to
// request. They are only the types of the known keys, so that a host with several keys shows a
// known key. If no key is known, they are the configured types, or nil for the defaults. judge
// checks the key that the host shows. Check returns an error if known_hosts cannot be read, or if
// the host is configured to use only other types.
func (k *Known) Check(address string, o sshroute.Options) (algorithms []string, judge ssh.HostKeyCallback, err error) {
	db, skipped, err := k.current()
	if err != nil {
		return nil, nil, err
	}
	known, names := db.HostKeyCallback(), lookups(address, o.Alias)
	judge = func(_ string, from net.Addr, shown ssh.PublicKey) error {
		err := known(names[0], from, shown)
		for _, other := range names[1:] {
			if (isUnknown(err) || isCertificate(shown)) && known(other, from, shown) == nil {
				return nil
			}
		}
		if err != nil {
			return k.explain(err, address, shown, lines{known, authorities(db, names), skipped})
		}
		return nil
	}
	for _, name := range names {
		if algorithms = knownAlgorithms(db, name, o.Algorithms.HostKeys != nil); len(algorithms) > 0 {
			break
		}
	}
	if algorithms, err = offered(algorithms, o.Algorithms.HostKeys); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", address, err)
	}
	return algorithms, judge, nil
}

// knownAlgorithms returns the key types that known_hosts allows for a name. An authority in
// known_hosts allows certificates of every type.
func knownAlgorithms(db *knownhosts.HostKeyDB, name string, weak bool) []string {
	var out []string
	if slices.ContainsFunc(db.HostKeys(name), func(key knownhosts.PublicKey) bool { return key.Cert }) {
		out = ssh.SupportedAlgorithms().HostKeys
		if weak {
			out = append(out, ssh.InsecureAlgorithms().HostKeys...)
		}
		out = slices.DeleteFunc(out, func(algorithm string) bool { return !strings.HasSuffix(algorithm, certSuffix) })
	}
	for _, algorithm := range db.HostKeyAlgorithms(name) {
		if !strings.HasSuffix(algorithm, certSuffix) {
			out = append(out, algorithm)
		}
	}
	return out
}

// certSuffix is the suffix of certificate algorithms.
const certSuffix = "-cert-v01@openssh.com"

// offered returns the configured key types, set, that are also in known, in the configured order.
// known has the types of the host's keys in known_hosts. If one of the lists is empty, offered
// returns the other list. It returns an error if the lists have no type in common.
func offered(known, set []string) ([]string, error) {
	if set == nil || len(known) == 0 {
		return orNil(known, set), nil
	}
	var out []string
	for _, name := range set {
		if slices.Contains(known, name) {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("known_hosts has only keys of the types %s for this host, which is configured to use %s",
			strings.Join(known, ", "), strings.Join(set, ", "))
	}
	return out, nil
}

func orNil(known, set []string) []string {
	if len(known) > 0 {
		return known
	}
	return set
}

func isCertificate(key ssh.PublicKey) bool {
	_, ok := key.(*ssh.Certificate)
	return ok
}

// lookups are the names under which OpenSSH looks up a host, in order: with its port, then without
// it. An alias replaces both names.
func lookups(address, alias string) []string {
	if alias != "" {
		return []string{net.JoinHostPort(strings.ToLower(alias), "22")}
	}
	address = strings.ToLower(address)
	if host, port, err := net.SplitHostPort(address); err == nil && port != "22" {
		return []string{address, net.JoinHostPort(host, "22")}
	}
	return []string{address}
}

// isUnknown reports whether no line concerns the host.
func isUnknown(err error) bool {
	var unknown *xknownhosts.KeyError
	return errors.As(err, &unknown) && len(unknown.Want) == 0
}

// lines are the entries of known_hosts for one host.
type lines struct {
	known       ssh.HostKeyCallback
	authorities map[string]bool // the keys of the certificate authorities
	skipped     []SkippedLine
}

// authorities are the keys of the certificate authorities of a host.
func authorities(db *knownhosts.HostKeyDB, names []string) map[string]bool {
	out := map[string]bool{}
	for _, name := range names {
		for _, key := range db.HostKeys(name) {
			if key.Cert {
				out[string(key.Marshal())] = true
			}
		}
	}
	return out
}

// nowhere is the address for checks of a host in which only the host's name counts.
var nowhere net.Addr = &net.TCPAddr{IP: net.IPv4zero}

// revoked reports whether a key, or the authority that signed it, is marked as revoked.
func (l lines) revoked(key ssh.PublicKey) bool {
	bare := []ssh.PublicKey{bareKey(key)}
	if cert, ok := key.(*ssh.Certificate); ok {
		bare = append(bare, bareKey(cert.SignatureKey))
	}
	return slices.ContainsFunc(bare, func(key ssh.PublicKey) bool {
		return errors.As(l.known("revoked.invalid:22", nowhere, key), new(*xknownhosts.RevokedError))
	})
}

// own are the lines with a key of the host itself.
func (l lines) own(want []xknownhosts.KnownKey) []xknownhosts.KnownKey {
	return slices.DeleteFunc(slices.Clone(want), func(k xknownhosts.KnownKey) bool { return l.authorities[string(k.Key.Marshal())] })
}

// revokedError is a host key that known_hosts marks as revoked.
type revokedError struct{ text string }

func (e revokedError) Error() string { return e.text }

// explain describes the problem with a host's key.
func (k *Known) explain(err error, address string, shown ssh.PublicKey, l lines) error {
	seen := fmt.Sprintf("%s %s", shown.Type(), ssh.FingerprintSHA256(bareKey(shown)))
	var mismatch *xknownhosts.KeyError
	cert, certified := shown.(*ssh.Certificate)
	switch {
	case l.revoked(shown):
		return revokedError{fmt.Sprintf("%s showed a host key that %s marks as revoked (%s): suspect an attack", address, k.path, seen)}
	case certified && !l.authorities[string(cert.SignatureKey.Marshal())]:
		return fmt.Errorf(
			"%s showed a certificate (%s) that is signed by the authority %s, which is not in known_hosts for this host: compare the authority's key, then add a line @cert-authority to %s",
			address, seen, ssh.FingerprintSHA256(cert.SignatureKey), k.path)
	case isUnknown(err):
		text := fmt.Sprintf("the host key of %s is unknown (it showed %s): compare it on the host, then add it to %s", address, seen, k.path)
		if len(l.skipped) > 0 {
			text += fmt.Sprintf("; a line of that file was skipped, %s", l.skipped[0])
		}
		return errors.New(text)
	case errors.As(err, &mismatch) && len(l.own(mismatch.Want)) == 0:
		return fmt.Errorf(
			"%s showed a host key without a certificate (%s), and %s has only a certificate authority for it (line %d): "+
				"have the authority sign that key, and name its certificate as HostCertificate in the host's sshd_config",
			address, seen, k.path, mismatch.Want[0].Line)
	case errors.As(err, &mismatch):
		known := l.own(mismatch.Want)[0]
		return fmt.Errorf(
			"the host key of %s has changed (it showed %s, but known_hosts has %s in line %d): unless the host was reinstalled, suspect an attack; once sure, replace that line in %s",
			address, seen, ssh.FingerprintSHA256(known.Key), known.Line, k.path)
	default:
		return fmt.Errorf("the host key of %s (%s) is not accepted: %w", address, seen, err)
	}
}

// Host is a host to look up in known_hosts.
type Host struct{ Address, Alias string }

// Without reads a known_hosts file. It returns the skipped lines, and which of the hosts have no
// key in the file.
func Without(path string, hosts []Host) (skipped []SkippedLine, without []Host, err error) {
	db, _, skipped, err := readKnownHosts(path)
	if err != nil {
		return nil, nil, err
	}
	for _, h := range hosts {
		has := false
		for _, name := range lookups(h.Address, h.Alias) {
			has = has || len(db.HostKeys(name)) > 0
		}
		if !has {
			without = append(without, h)
		}
	}
	return skipped, without, nil
}
