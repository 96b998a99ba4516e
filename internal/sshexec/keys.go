package sshexec

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/crypto/ssh"
)

// maxKeyFile is more than any private key needs.
const maxKeyFile = 1 << 20

// readKeys reads every key file, and names every one that cannot be used.
func readKeys(paths []string) ([]ssh.Signer, error) {
	if len(paths) == 0 {
		return nil, errors.New("no SSH key is configured: set ssh.key_file")
	}
	var (
		signers  []ssh.Signer
		problems []error
	)
	for _, path := range paths {
		signer, err := readKey(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		signers = append(signers, signer)
	}
	return signers, errors.Join(problems...)
}

// readKey reads one private key. Like OpenSSH it refuses a file that others
// may read, and it says nothing of the content in its errors.
func readKey(path string) (ssh.Signer, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("SSH key %s does not exist: put the private key there, or set ssh.key_file to where it is", path)
	case err != nil:
		return nil, fmt.Errorf("SSH key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("SSH key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("SSH key %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("SSH key %s has mode %#o, so that others may use it: chmod 600 it", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("SSH key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return nil, fmt.Errorf("SSH key %s has a passphrase, which nobody is there to type: use one without (ssh-keygen -p -f FILE removes it)", path)
	case err != nil:
		return nil, fmt.Errorf("SSH key %s is not a private key in OpenSSH or PEM form: is it the .pub file?", path)
	}
	return signer, nil
}
