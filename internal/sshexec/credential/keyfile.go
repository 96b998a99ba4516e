package credential

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/sshroute"
	"dhbot/internal/trusted"
)

// maxKeyFile limits the size of a key file, in bytes. Any private key or certificate is smaller.
const maxKeyFile = 1 << 20

// certificateSuffix is OpenSSH's suffix for the certificate of a key.
const certificateSuffix = "-cert.pub"

// keyFile is a private key in a file, with its certificate, if any. A changed file is read again,
// so the next login uses a renewed certificate.
type keyFile struct {
	config sshroute.Credential

	mu     sync.Mutex
	stamps map[string]stamp
	list   []identity
}

// stamp is what a check compares to detect that a file has changed.
type stamp struct {
	modified time.Time
	size     int64
}

func (k *keyFile) String() string { return "key " + k.config.KeyFile }

func (k *keyFile) check() error {
	_, _, err := k.identities(0)
	return err
}

// identities returns the certificate before the bare key, which is also OpenSSH's order.
func (k *keyFile) identities(time.Duration) ([]identity, func(), error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now, err := k.look()
	if err != nil {
		return nil, nil, err
	}
	if k.list == nil || !same(now, k.stamps) {
		list, err := k.read()
		if err != nil {
			return nil, nil, err
		}
		k.list, k.stamps = list, now
	}
	return k.list, func() {}, nil
}

func same(a, b map[string]stamp) bool {
	if len(a) != len(b) {
		return false
	}
	for path, s := range a {
		if o, ok := b[path]; !ok || o.size != s.size || !o.modified.Equal(s.modified) {
			return false
		}
	}
	return true
}

// look returns the stamps of the files. It returns an error if other accounts can read the key.
func (k *keyFile) look() (map[string]stamp, error) {
	now := map[string]stamp{}
	for _, path := range []string{k.config.KeyFile, k.config.PassphraseFile, k.certificate()} {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && path == k.config.KeyFile && k.list != nil:
			continue // removed while running: the loaded key stays in use
		case errors.Is(err, fs.ErrNotExist) && path == k.config.KeyFile:
			return nil, fmt.Errorf("SSH key %s does not exist: put the private key there, or set ssh.key_file to where it is", path)
		case err != nil && path == k.certificate() && k.config.CertificateFile == "":
			continue // optional
		case err != nil:
			return nil, fmt.Errorf("SSH key: %w", err)
		case !info.Mode().IsRegular():
			return nil, fmt.Errorf("SSH key %s is not a regular file", path)
		case path != k.certificate() && trusted.Secret(path, info) != nil:
			return nil, fmt.Errorf("SSH key %s has mode %#o, so other accounts can read it: chmod 600 it", path, info.Mode().Perm())
		}
		now[path] = stamp{info.ModTime(), info.Size()}
	}
	return now, nil
}

// certificate returns the path of the key's certificate. The file need not exist.
func (k *keyFile) certificate() string {
	if k.config.CertificateFile != "" {
		return k.config.CertificateFile
	}
	return k.config.KeyFile + certificateSuffix
}

func (k *keyFile) read() ([]identity, error) {
	signer, err := k.readKey()
	if err != nil {
		return nil, err
	}
	bare := identity{name: fmt.Sprintf("key %s (%s)", k.config.KeyFile, fingerprint(signer.PublicKey())), signer: signer}
	text, err := readFile(k.certificate())
	if errors.Is(err, fs.ErrNotExist) && k.config.CertificateFile == "" {
		return []identity{bare}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("SSH certificate: %w", err)
	}
	cert, err := parseCertificate(k.certificate(), text)
	if err != nil {
		return nil, err
	}
	with, err := ssh.NewCertSigner(cert, signer)
	if err != nil {
		return nil, fmt.Errorf("SSH certificate %s is for another key than %s", k.certificate(), k.config.KeyFile)
	}
	withAlgorithms, ok := with.(ssh.AlgorithmSigner)
	if !ok {
		return nil, fmt.Errorf("SSH certificate %s is of a type that cannot sign", k.certificate())
	}
	return []identity{{name: certificateName("certificate "+k.certificate(), cert), signer: withAlgorithms}, bare}, nil
}

// readKey reads the private key. Its errors never contain any part of the key.
func (k *keyFile) readKey() (ssh.AlgorithmSigner, error) {
	path := k.config.KeyFile
	text, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("SSH key: %w", err)
	}
	signer, err := k.parse(text)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return nil, fmt.Errorf("SSH key %s has a passphrase: write the passphrase to a file and name the file as passphrase_file in ssh.credentials, or use a key without a passphrase (ssh-keygen -p -f FILE removes it)", path)
	case err != nil && k.config.PassphraseFile != "" && bytes.Contains(text, []byte("PRIVATE KEY")):
		return nil, fmt.Errorf("the passphrase in %s does not open the SSH key %s", k.config.PassphraseFile, path)
	case err != nil && isSecurityKey(text):
		return nil, fmt.Errorf("SSH key %s is on a FIDO security key: add it to an ssh-agent (ssh-add) and name the agent in ssh.credentials", path)
	case err != nil:
		return nil, fmt.Errorf("SSH key %s is not a private key in OpenSSH or PEM form: is it the .pub file?", path)
	}
	able, ok := signer.(ssh.AlgorithmSigner)
	if !ok {
		return nil, fmt.Errorf("SSH key %s is of the unknown type %s", path, signer.PublicKey().Type())
	}
	return able, nil
}

func (k *keyFile) parse(text []byte) (ssh.Signer, error) {
	if k.config.PassphraseFile == "" {
		return ssh.ParsePrivateKey(text)
	}
	passphrase, err := readFile(k.config.PassphraseFile)
	if err != nil {
		return nil, err
	}
	return ssh.ParsePrivateKeyWithPassphrase(text, bytes.TrimRight(passphrase, "\r\n"))
}

// isSecurityKey reports whether the real private key is in a FIDO device, and the file only refers
// to it.
func isSecurityKey(text []byte) bool {
	block, _ := pem.Decode(text)
	return block != nil && bytes.Contains(block.Bytes, []byte("sk-ssh-ed25519@openssh.com")) ||
		block != nil && bytes.Contains(block.Bytes, []byte("sk-ecdsa-sha2-nistp256@openssh.com"))
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxKeyFile))
}

func parseCertificate(path string, text []byte) (*ssh.Certificate, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, fmt.Errorf("SSH certificate %s cannot be read: it must be one line as ssh-keygen -s writes it", path)
	}
	cert, ok := key.(*ssh.Certificate)
	if !ok || cert.CertType != ssh.UserCert {
		return nil, fmt.Errorf("SSH certificate %s is not a user certificate", path)
	}
	return cert, nil
}

// certificateName describes a certificate by its place, its key id and its principals.
func certificateName(where string, c *ssh.Certificate) string {
	principals := "any account"
	if len(c.ValidPrincipals) > 0 {
		principals = strings.Join(c.ValidPrincipals, ", ")
	}
	return fmt.Sprintf("%s (id %q, for %s)", where, c.KeyId, principals)
}

// fingerprint returns the fingerprint of a key in the form of ssh-keygen -l.
func fingerprint(key ssh.PublicKey) string {
	return strings.TrimPrefix(key.Type(), "ssh-") + " " + ssh.FingerprintSHA256(key)
}
