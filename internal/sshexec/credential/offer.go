package credential

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Offer has the identities for one login, and what became of each.
type Offer struct {
	login string

	mu      sync.Mutex
	items   []*item
	release []func()
}

// item is one identity, or a source that could not provide its identities.
type item struct {
	name    string
	skipped string // why it was not offered
	hint    string // why a host may refuse it
	signer  ssh.MultiAlgorithmSigner

	// The offer's mutex guards the fields below.
	offered bool
	signed  bool
	failed  string // why it did not sign
}

// Offer collects the identities for a login. The argument accepted lists the allowed signature
// algorithms, or is nil if all are allowed. The caller must call Close after the login.
func (s *Set) Offer(login string, accepted []string, now time.Time, timeout time.Duration) *Offer {
	o := &Offer{login: login}
	seen := map[string]bool{}
	for _, from := range s.sources {
		list, release, err := from.identities(timeout)
		if err != nil {
			o.items = append(o.items, &item{name: from.String(), skipped: err.Error()})
			continue
		}
		o.release = append(o.release, release)
		for _, id := range list {
			blob := string(id.signer.PublicKey().Marshal())
			if seen[blob] {
				continue
			}
			seen[blob] = true
			o.items = append(o.items, o.judge(id, accepted, now))
		}
	}
	return o
}

// judge decides whether to offer an identity.
func (o *Offer) judge(id identity, accepted []string, now time.Time) *item {
	it := &item{name: id.name}
	key := id.signer.PublicKey()
	cert, isCert := key.(*ssh.Certificate)
	if isCert {
		from, end := validity(cert)
		switch {
		case !end.IsZero() && !now.Before(end):
			it.skipped = "it expired " + stampOf(end)
			return it
		case now.Before(from):
			it.skipped = fmt.Sprintf("it is not valid before %s, and the clock here says %s", stampOf(from), stampOf(now))
			return it
		case len(cert.ValidPrincipals) > 0 && !slices.Contains(cert.ValidPrincipals, o.login):
			// The certificate is offered all the same, because a host may map principals to
			// accounts.
			it.hint = fmt.Sprintf("it names the principals %s and not %s", strings.Join(cert.ValidPrincipals, ", "), o.login)
		}
	}
	algorithms := signatureAlgorithms(key)
	if accepted != nil {
		algorithms = slices.DeleteFunc(algorithms, func(a string) bool { return !slices.Contains(accepted, a) })
	}
	signer, err := ssh.NewSignerWithAlgorithms(id.signer, algorithms)
	if len(algorithms) == 0 || err != nil {
		it.skipped = "the host is configured to accept only " + strings.Join(accepted, ", ")
		return it
	}
	it.signer = signer
	return it
}

func stampOf(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// signatureAlgorithms returns the signature algorithms that a key can use.
func signatureAlgorithms(key ssh.PublicKey) []string {
	format := key.Type()
	if cert, ok := key.(*ssh.Certificate); ok {
		format = cert.Key.Type()
	}
	if format == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSA}
	}
	return []string{format}
}

// Signers returns the identities to offer, in order.
func (o *Offer) Signers() []ssh.Signer {
	var out []ssh.Signer
	for _, it := range o.items {
		if it.signer != nil {
			out = append(out, &tracked{MultiAlgorithmSigner: it.signer, offer: o, item: it})
		}
	}
	return out
}

// Close closes connections to agents.
func (o *Offer) Close() {
	for _, release := range o.release {
		release()
	}
}

// tracked records whether an identity was offered to a host, and whether the host accepted it. The
// SSH client reads the public key when it offers the identity, and requests a signature when the
// host accepts it.
type tracked struct {
	ssh.MultiAlgorithmSigner
	offer *Offer
	item  *item
}

// PublicKey implements ssh.Signer.
func (t *tracked) PublicKey() ssh.PublicKey {
	t.offer.mu.Lock()
	t.item.offered = true
	t.offer.mu.Unlock()
	return t.MultiAlgorithmSigner.PublicKey()
}

// SignWithAlgorithm implements ssh.AlgorithmSigner.
func (t *tracked) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	t.offer.mu.Lock()
	t.item.signed = true
	t.offer.mu.Unlock()
	signature, err := t.MultiAlgorithmSigner.SignWithAlgorithm(rand, data, algorithm)
	if err != nil {
		t.offer.mu.Lock()
		t.item.failed = "the host accepts it, but it did not sign (" + err.Error() + "): does it need a touch or a confirmation?"
		t.offer.mu.Unlock()
	}
	return signature, err
}

// Offered counts the identities. The first result counts those that the host has seen, and the
// second all that may be offered.
func (o *Offer) Offered() (shown, of int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, it := range o.items {
		if it.signer != nil {
			of++
		}
		if it.offered {
			shown++
		}
	}
	return shown, of
}

// String lists the identities that the host refused, and those that were not offered.
func (o *Offer) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var refused, withheld []string
	for _, it := range o.items {
		switch {
		case it.failed != "":
			refused = append(refused, it.name+": "+it.failed)
		case it.offered && it.hint != "":
			refused = append(refused, it.name+": "+it.hint)
		case it.offered:
			refused = append(refused, it.name)
		case it.skipped != "":
			withheld = append(withheld, it.name+": "+it.skipped)
		default:
			withheld = append(withheld, it.name)
		}
	}
	var parts []string
	if len(refused) > 0 {
		parts = append(parts, "offered and refused: "+strings.Join(refused, "; "))
	}
	if len(withheld) > 0 {
		parts = append(parts, "not offered: "+strings.Join(withheld, "; "))
	}
	return strings.Join(parts, "; ")
}
