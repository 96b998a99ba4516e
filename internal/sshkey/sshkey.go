package sshkey

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha512"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// leastRSA is the shortest accepted RSA key, in bits.
const leastRSA = 2048

// Key is a public key. The zero value means that there is no key. It equals no key, not even
// itself.
type Key struct{ public ssh.PublicKey }

// Parse parses the line of a .pub file: the type, the key in base64, and an optional comment. It
// refuses options before the key, certificates, and weak keys.
func Parse(line string) (Key, error) {
	public, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	switch {
	case err != nil:
		return Key{}, errors.New("this is not a public key: write the line of the .pub file, ssh-ed25519 AAAA…")
	case len(options) > 0:
		return Key{}, errors.New("options before a key are not supported: write the line of the .pub file unchanged")
	case len(bytes.TrimSpace(rest)) > 0:
		return Key{}, errors.New("more than one line: write each key as an entry of its own")
	}
	return usable(public)
}

// FromWire parses a public key in the format of Wire.
func FromWire(b []byte) (Key, error) {
	public, err := ssh.ParsePublicKey(b)
	if err != nil {
		return Key{}, errors.New("this is not a public key")
	}
	return usable(public)
}

func usable(public ssh.PublicKey) (Key, error) {
	switch public.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256:
	case ssh.KeyAlgoRSA:
		crypto, ok := public.(ssh.CryptoPublicKey)
		if !ok {
			return Key{}, errors.New("the RSA key cannot be read")
		}
		if k, ok := crypto.CryptoPublicKey().(*rsa.PublicKey); !ok || k.N.BitLen() < leastRSA {
			return Key{}, fmt.Errorf("an RSA key needs at least %d bits: use ssh-ed25519", leastRSA)
		}
	default:
		return Key{}, fmt.Errorf("keys of type %s are not accepted: use ssh-ed25519", public.Type())
	}
	return Key{public: public}, nil
}

// Wire returns the key in SSH's binary format, or nil for the zero Key. Equal keys have the same
// bytes.
func (k Key) Wire() []byte {
	if k.public == nil {
		return nil
	}
	return k.public.Marshal()
}

// Equal reports whether two keys are the same.
func (k Key) Equal(o Key) bool {
	return k.public != nil && o.public != nil && bytes.Equal(k.Wire(), o.Wire())
}

// String returns the fingerprint as `ssh-keygen -l` prints it: "SHA256:…".
func (k Key) String() string {
	if k.public == nil {
		return "no key"
	}
	return ssh.FingerprintSHA256(k.public)
}

const (
	magic   = "SSHSIG"
	version = 1
	hashing = "sha512"
)

// envelope is the part of an SSHSIG signature after the magic bytes.
type envelope struct {
	Version   uint32
	Key       []byte
	Namespace string
	Reserved  string
	Hash      string
	Signature []byte
}

// signed returns the data that the key signs.
func signed(namespace string, message []byte) []byte {
	sum := sha512.Sum512(message)
	return append([]byte(magic), ssh.Marshal(struct {
		Namespace, Reserved, Hash string
		Sum                       []byte
	}{namespace, "", hashing, sum[:]})...)
}

// Verify verifies a signature over a message in a namespace, and returns the key that made it. The
// caller looks up the owner of the key. After an error no part of the signature may be trusted.
func Verify(signature []byte, namespace string, message []byte) (Key, error) {
	rest, ok := bytes.CutPrefix(signature, []byte(magic))
	var e envelope
	if !ok || ssh.Unmarshal(rest, &e) != nil || e.Version != version {
		return Key{}, errors.New("this is not an SSH signature")
	}
	if e.Namespace != namespace || namespace == "" || e.Hash != hashing {
		return Key{}, fmt.Errorf("the signature was made for %q with %s, not for %q with %s", printable(e.Namespace), printable(e.Hash), namespace, hashing)
	}
	key, err := FromWire(e.Key)
	if err != nil {
		return Key{}, err
	}
	var s ssh.Signature
	if ssh.Unmarshal(e.Signature, &s) != nil {
		return Key{}, errors.New("this is not an SSH signature")
	}
	if !slices.Contains(formats(key.public.Type()), s.Format) {
		return Key{}, fmt.Errorf("a signature of the format %s is not accepted for a key of type %s", printable(s.Format), key.public.Type())
	}
	if err := key.public.Verify(signed(namespace, message), &s); err != nil {
		return Key{}, errors.New("the signature is not valid for this key and message")
	}
	return key, nil
}

// formats returns the accepted signature formats for a type of key. For RSA keys, the format
// ssh-rsa is not accepted, because it uses SHA-1.
func formats(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}

// seal puts a raw signature into its envelope.
func seal(key Key, namespace string, s *ssh.Signature) []byte {
	return append([]byte(magic), ssh.Marshal(envelope{
		Version: version, Key: key.Wire(), Namespace: namespace, Hash: hashing, Signature: ssh.Marshal(s),
	})...)
}

// printable shortens untrusted text, and removes control characters.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '.'
		}
		return r
	}, s)
	return s[:min(len(s), 64)]
}
