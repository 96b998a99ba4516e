package credential

import (
	"errors"
	"time"

	"golang.org/x/crypto/ssh"

	"dhbot/internal/sshroute"
)

// Set is the list of credentials for a host, in order. It is safe for concurrent use.
type Set struct {
	sources []source
}

// source is a credential in the config, which can have several keys.
type source interface {
	// check returns an error if the source is not usable. It does not connect to anything.
	check() error
	// identities returns the current keys of the source. The caller must call release after the
	// login.
	identities(timeout time.Duration) (list []identity, release func(), err error)
	// String names the source in messages.
	String() string
}

// identity is one key or certificate.
type identity struct {
	name   string // for people
	signer ssh.AlgorithmSigner
}

// Open reads the credentials of a config. Its error names each credential that cannot be used. Open
// does not query agents, because they are queried at each login.
func Open(list []sshroute.Credential) (*Set, error) {
	if len(list) == 0 {
		return nil, errors.New("no SSH key is configured: set ssh.key_file or ssh.credentials")
	}
	s := &Set{}
	var problems []error
	for _, c := range list {
		var from source = &keyFile{config: c}
		if c.Agent != "" {
			from = &agentSocket{config: c}
		}
		s.sources = append(s.sources, from)
		problems = append(problems, from.check())
	}
	return s, errors.Join(problems...)
}

// Certificate is a user certificate and its validity.
type Certificate struct {
	Name      string
	From, End time.Time // End is zero if it does not expire
}

// Certificates lists the current user certificates.
func (s *Set) Certificates(timeout time.Duration) []Certificate {
	var out []Certificate
	for _, from := range s.sources {
		list, release, err := from.identities(timeout)
		if err != nil {
			continue // a login reports the problem
		}
		release()
		for _, id := range list {
			if cert, ok := id.signer.PublicKey().(*ssh.Certificate); ok {
				c := Certificate{Name: id.name}
				c.From, c.End = validity(cert)
				out = append(out, c)
			}
		}
	}
	return out
}

// validity returns the period in which a certificate is valid. The result end is zero if the
// certificate does not expire.
func validity(c *ssh.Certificate) (from, end time.Time) {
	from = time.Unix(int64(min(c.ValidAfter, 1<<62)), 0)
	if c.ValidBefore != ssh.CertTimeInfinity {
		end = time.Unix(int64(min(c.ValidBefore, 1<<62)), 0)
	}
	return from, end
}
