package credential

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"dhbot/internal/sshroute"
)

// agentTimeout limits the wait for an agent if the caller sets no limit.
const agentTimeout = 5 * time.Second

// agentSocket is an ssh-agent. Every login queries the agent again.
type agentSocket struct {
	config sshroute.Credential
}

func (a *agentSocket) String() string { return "agent " + a.config.Agent }

// check checks only the certificate file. It does not query the agent, which may start later.
func (a *agentSocket) check() error {
	if a.config.CertificateFile == "" {
		return nil
	}
	_, err := a.selected()
	return err
}

// selected returns the certificate that selects one of the agent's keys. It returns nil if the
// config names no certificate file.
func (a *agentSocket) selected() (*ssh.Certificate, error) {
	if a.config.CertificateFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(a.config.CertificateFile)
	if err != nil {
		return nil, fmt.Errorf("SSH certificate: %w", err)
	}
	return parseCertificate(a.config.CertificateFile, text)
}

func (a *agentSocket) identities(timeout time.Duration) ([]identity, func(), error) {
	if timeout <= 0 {
		timeout = agentTimeout
	}
	conn, err := net.DialTimeout("unix", a.config.Agent, timeout)
	if err != nil {
		return nil, nil, fmt.Errorf("the ssh-agent at %s does not answer: %w", a.config.Agent, err)
	}
	// The deadline also applies to signing, because an agent may wait forever for a touch.
	list, err := a.ask(conn, time.Now().Add(timeout))
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return list, func() { conn.Close() }, nil
}

func (a *agentSocket) ask(conn net.Conn, until time.Time) ([]identity, error) {
	if err := conn.SetDeadline(until); err != nil {
		return nil, err
	}
	client := agent.NewClient(conn)
	keys, err := client.List()
	if err != nil {
		return nil, fmt.Errorf("the ssh-agent at %s does not list its keys: %w", a.config.Agent, err)
	}
	signers, err := client.Signers()
	if err != nil {
		return nil, fmt.Errorf("the ssh-agent at %s does not list its keys: %w", a.config.Agent, err)
	}
	chosen, err := a.selected()
	if err != nil {
		return nil, err
	}
	var out []identity
	for _, s := range signers {
		able, ok := s.(ssh.AlgorithmSigner)
		if !ok {
			continue
		}
		if chosen != nil {
			if bytes.Equal(able.PublicKey().Marshal(), chosen.Key.Marshal()) {
				return withCertificate(a.config.CertificateFile, chosen, able)
			}
			continue
		}
		out = append(out, a.name(able, comment(keys, able)))
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the ssh-agent at %s holds no key%s: add one with ssh-add", a.config.Agent, forCertificate(a.config.CertificateFile))
	}
	// Certificates are offered first, because a host counts every refused key. An agent lists a key
	// before its certificate.
	slices.SortStableFunc(out, func(a, b identity) int { return cmp.Compare(rank(a), rank(b)) })
	return out, nil
}

// rank orders certificates before plain keys.
func rank(i identity) int {
	if _, certified := i.signer.PublicKey().(*ssh.Certificate); certified {
		return 0
	}
	return 1
}

func forCertificate(file string) string {
	if file == "" {
		return ""
	}
	return " for the certificate " + file
}

// withCertificate returns an identity that offers the certificate from a file and signs with a key
// of the agent.
func withCertificate(file string, cert *ssh.Certificate, key ssh.AlgorithmSigner) ([]identity, error) {
	s, err := ssh.NewCertSigner(cert, key)
	if err != nil {
		return nil, fmt.Errorf("SSH certificate %s: %w", file, err)
	}
	able, ok := s.(ssh.AlgorithmSigner)
	if !ok {
		return nil, fmt.Errorf("SSH certificate %s is of a type that cannot sign", file)
	}
	return []identity{{name: certificateName("certificate "+file, cert), signer: able}}, nil
}

func (a *agentSocket) name(s ssh.AlgorithmSigner, comment string) identity {
	// The agent's client does not parse a public key, so a certificate would not be recognised.
	public, err := ssh.ParsePublicKey(s.PublicKey().Marshal())
	if err != nil {
		return identity{name: "agent key " + comment, signer: s}
	}
	if cert, ok := public.(*ssh.Certificate); ok {
		return identity{name: certificateName("agent certificate "+comment, cert), signer: parsed{s, public}}
	}
	return identity{name: fmt.Sprintf("agent key %s (%s)", comment, fingerprint(public)), signer: parsed{s, public}}
}

// parsed is an agent's key whose public key or certificate has been parsed.
type parsed struct {
	ssh.AlgorithmSigner
	public ssh.PublicKey
}

// PublicKey implements ssh.Signer.
func (p parsed) PublicKey() ssh.PublicKey { return p.public }

func comment(keys []*agent.Key, s ssh.Signer) string {
	for _, k := range keys {
		if bytes.Equal(k.Marshal(), s.PublicKey().Marshal()) && k.Comment != "" {
			return k.Comment
		}
	}
	return "without a comment"
}
