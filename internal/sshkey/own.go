package sshkey

import (
	"context"
	"os"
	"path/filepath"
)

// usualKeys are the private keys in ~/.ssh that ssh tries by default.
var usualKeys = []string{"id_ed25519", "id_ecdsa", "id_rsa"}

// Own returns the keys in the given files. Without files it returns the keys of the agent and of
// the usual files. The result done is a function that closes the connection to the agent.
func Own(ctx context.Context, files []string) (list []Signer, done func(), err error) {
	done = func() {}
	for _, path := range files {
		s, err := File(path)
		if err != nil {
			return nil, done, err
		}
		list = append(list, s)
	}
	if len(list) > 0 {
		return list, done, nil
	}
	if socket := os.Getenv("SSH_AUTH_SOCK"); socket != "" {
		if a, err := DialAgent(ctx, socket); err == nil {
			done = func() { _ = a.Close() }
			if list, err = a.Signers(); err != nil {
				list = nil
			}
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return list, done, nil
	}
	for _, name := range usualKeys {
		if s, err := File(filepath.Join(home, ".ssh", name)); err == nil {
			list = append(list, s)
		}
	}
	return list, done, nil
}
