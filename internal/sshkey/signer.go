package sshkey

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Signer signs with one private key, in a file or an agent.
type Signer interface {
	Key() Key
	// Name names the key in messages: its comment, or its file.
	Name() string
	// Sign signs a message in a namespace. A key in hardware may wait for a touch.
	Sign(namespace string, message []byte) ([]byte, error)
}

// Agent is a connection to an ssh-agent.
type Agent struct {
	conn   net.Conn
	client agent.ExtendedAgent
}

// DialAgent connects to the agent at a socket, usually the value of SSH_AUTH_SOCK.
func DialAgent(ctx context.Context, socket string) (*Agent, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("the ssh-agent at %s does not answer: %w", socket, err)
	}
	return &Agent{conn: conn, client: agent.NewClient(conn)}, nil
}

// Close ends the connection; signers of this agent are then unusable.
func (a *Agent) Close() error { return a.conn.Close() }

// Signers are the agent's usable keys, without certificates and weak keys.
func (a *Agent) Signers() ([]Signer, error) {
	list, err := a.client.List()
	if err != nil {
		return nil, fmt.Errorf("asking the ssh-agent for its keys: %w", err)
	}
	var out []Signer
	for _, k := range list {
		if key, err := FromWire(k.Marshal()); err == nil {
			out = append(out, agentSigner{a.client, key, k.Comment})
		}
	}
	return out, nil
}

type agentSigner struct {
	client  agent.ExtendedAgent
	key     Key
	comment string
}

func (s agentSigner) Key() Key     { return s.key }
func (s agentSigner) Name() string { return s.comment }

func (s agentSigner) Sign(namespace string, message []byte) ([]byte, error) {
	var flags agent.SignatureFlags
	if s.key.public.Type() == ssh.KeyAlgoRSA {
		flags = agent.SignatureFlagRsaSha512
	}
	sig, err := s.client.SignWithFlags(s.key.public, signed(namespace, message), flags)
	if err != nil {
		return nil, fmt.Errorf("the ssh-agent did not sign with %s: %w", s.key, err)
	}
	return seal(s.key, namespace, sig), nil
}

// ErrLocked means that a key file has a passphrase. Such a key can only be used with an agent.
var ErrLocked = errors.New("the key has a passphrase: `ssh-add` it to an ssh-agent")

// maxKeyFile is larger than any private key.
const maxKeyFile = 1 << 20

// File reads a private key from a file that only its owner may read.
func File(path string) (Signer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode(); !mode.IsRegular() || mode.Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by other accounts, or is not a file: run chmod 600 on it", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return nil, fmt.Errorf("%s: %w", path, ErrLocked)
	case err != nil:
		return nil, fmt.Errorf("%s is not a private key in OpenSSH or PEM form: is it the .pub file?", path)
	}
	key, err := usable(signer.PublicKey())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return fileSigner{signer, key, path}, nil
}

type fileSigner struct {
	signer ssh.Signer
	key    Key
	path   string
}

func (s fileSigner) Key() Key     { return s.key }
func (s fileSigner) Name() string { return s.path }

func (s fileSigner) Sign(namespace string, message []byte) ([]byte, error) {
	data := signed(namespace, message)
	sig, err := s.sign(data)
	if err != nil {
		return nil, fmt.Errorf("signing with %s: %w", s.path, err)
	}
	return seal(s.key, namespace, sig), nil
}

func (s fileSigner) sign(data []byte) (*ssh.Signature, error) {
	if s.key.public.Type() != ssh.KeyAlgoRSA {
		return s.signer.Sign(rand.Reader, data)
	}
	algorithm, ok := s.signer.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("the RSA key cannot sign with SHA-512")
	}
	return algorithm.SignWithAlgorithm(rand.Reader, data, ssh.KeyAlgoRSASHA512)
}
