package sign

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"dhbot/internal/trusted"
)

// The key file is text:
//
//	dhbot state key v1
//	install 3f9c…            the installation, in every head and signature
//	private PRIVATE+KEY+…    signs; during a rotation a second line has the previous key
//	public  dhbot+…          earlier keys: they only verify old heads
//
// Lines that begin with # are comments.
const (
	firstLine  = "dhbot state key v1"
	installKey = "install"
	privateKey = "private"
	publicKey  = "public"

	signerName = "dhbot"
	macLabel   = "dhbot state hmac v1"
)

// Key is the content of a key file.
type Key struct {
	install string
	current secret
	// before is the previous key during a rotation, otherwise nil.
	before *secret
	// old are the verifier keys of former keys, newest first.
	old []string
}

// secret is one private key. It signs heads. Values are signed with an HMAC key that is derived
// from it.
type secret struct {
	text     string // as in the file
	signer   note.Signer
	verifier string
	id       string // identifies the key in a signed value
	mac      []byte
}

// New makes a key for a new installation.
func New() (*Key, error) {
	s, err := newSecret()
	if err != nil {
		return nil, err
	}
	return &Key{install: strings.ToLower(rand.Text())[:16], current: s}, nil
}

func newSecret() (secret, error) {
	private, _, err := note.GenerateKey(rand.Reader, signerName)
	if err != nil {
		return secret{}, fmt.Errorf("the state's key cannot be created: %w", err)
	}
	return parseSecret(private)
}

// parseSecret parses a private key of package note: PRIVATE+KEY+NAME+HASH+DATA, where DATA is a
// byte for the algorithm and the seed of an Ed25519 key.
func parseSecret(text string) (secret, error) {
	signer, err := note.NewSigner(text)
	if err != nil {
		return secret{}, errors.New("a private key in it is damaged")
	}
	parts := strings.SplitN(text, "+", 5)
	data, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(data) != 1+ed25519.SeedSize {
		return secret{}, errors.New("a private key in it is damaged")
	}
	seed := data[1:]
	verifier, err := note.NewEd25519VerifierKey(signer.Name(), ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
	if err != nil {
		return secret{}, fmt.Errorf("a private key in it is damaged: %w", err)
	}
	mac, err := hkdf.Key(sha256.New, seed, nil, macLabel, sha256.Size)
	if err != nil {
		return secret{}, fmt.Errorf("deriving the key of signed values: %w", err)
	}
	sum := sha256.Sum256([]byte(verifier))
	return secret{text: text, signer: signer, verifier: verifier, id: hex.EncodeToString(sum[:4]), mac: mac}, nil
}

// Parse parses the text of a key file.
func Parse(text string) (*Key, error) {
	lines := strings.Split(text, "\n")
	if strings.TrimSpace(lines[0]) != firstLine {
		return nil, fmt.Errorf("its first line is not %q", firstLine)
	}
	var k Key
	var private []secret
	for _, line := range lines[1:] {
		word, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		value = strings.TrimSpace(value)
		switch {
		case word == "" || strings.HasPrefix(word, "#"):
		case word == installKey && k.install == "" && value != "" && !strings.ContainsAny(value, " \t"):
			k.install = value
		case word == privateKey:
			s, err := parseSecret(value)
			if err != nil {
				return nil, err
			}
			private = append(private, s)
		case word == publicKey:
			if _, err := note.NewVerifier(value); err != nil {
				return nil, errors.New("a public key in it is damaged")
			}
			k.old = append(k.old, value)
		default:
			return nil, fmt.Errorf("it has an unknown line: %q", word)
		}
	}
	switch {
	case k.install == "":
		return nil, errors.New("it does not name its installation")
	case len(private) == 0:
		return nil, errors.New("it has no private key")
	case len(private) > 2:
		return nil, errors.New("it has more than two private keys")
	}
	k.current = private[0]
	if len(private) == 2 {
		k.before = &private[1]
	}
	return &k, nil
}

// text is the content of the key file.
func (k *Key) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n# Keep this file out of state.dir and out of every backup of it: anyone who has both can make the bot act.\n", firstLine)
	fmt.Fprintf(&b, "%s %s\n%s %s\n", installKey, k.install, privateKey, k.current.text)
	if k.before != nil {
		fmt.Fprintf(&b, "%s %s\n", privateKey, k.before.text)
	}
	for _, v := range k.old {
		fmt.Fprintf(&b, "%s %s\n", publicKey, v)
	}
	return b.String()
}

// Load reads a key file. It returns fs.ErrNotExist if the file is missing.
func Load(file string) (*Key, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("the state's key: %w", err)
	}
	if err := trusted.Secret(file, info); err != nil {
		return nil, fmt.Errorf("the state's key: %w: run chmod 600 %s", err, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the state's key: %w", err)
	}
	k, err := Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("the state's key %s cannot be used: %w; restore the original file", file, err)
	}
	return k, nil
}

// Create makes a new key in a file that must not exist.
func Create(file string) (*Key, error) {
	k, err := New()
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(file); err == nil {
		return nil, fmt.Errorf("the state's key %s: %w", file, fs.ErrExist)
	}
	if err := k.Save(file); err != nil {
		return nil, err
	}
	return k, nil
}

// Save writes the key file, atomically.
func (k *Key) Save(file string) error {
	err := k.save(file)
	if err != nil {
		return fmt.Errorf("the state's key cannot be written to %s: let the bot's account write its directory, or name another (state.key_file): %w", file, err)
	}
	return nil
}

func (k *Key) save(file string) (err error) {
	dir := filepath.Dir(file)
	f, err := os.CreateTemp(dir, filepath.Base(file)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.WriteString(k.text())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	return SyncDir(dir)
}

// SyncDir makes created and renamed files in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Rotate begins a rotation: a new key signs, and signatures of the current key stay valid until
// Settle. If a rotation has already begun, Rotate returns the key unchanged.
func (k *Key) Rotate() (*Key, error) {
	if k.before != nil {
		return k, nil
	}
	s, err := newSecret()
	if err != nil {
		return nil, err
	}
	before := k.current
	return &Key{install: k.install, current: s, before: &before, old: k.old}, nil
}

// Settle ends a rotation: signatures of the previous key become invalid, but its public key
// still verifies old heads.
func (k *Key) Settle() *Key {
	if k.before == nil {
		return k
	}
	return &Key{install: k.install, current: k.current, old: append([]string{k.before.verifier}, k.old...)}
}

// Rotating reports whether a rotation has begun and not ended.
func (k *Key) Rotating() bool { return k.before != nil }

// Install is the id of the installation to which the key belongs.
func (k *Key) Install() string { return k.install }

// ID is a short name of the signing key for people: eight hex digits.
func (k *Key) ID() string { return k.current.id }

// Public is the verifier key to publish: with it anyone can verify the heads that this key
// signed.
func (k *Key) Public() string { return k.current.verifier }

// Verifiers are the public keys of this and all former keys.
func (k *Key) Verifiers() []string {
	out := []string{k.current.verifier}
	if k.before != nil {
		out = append(out, k.before.verifier)
	}
	return append(out, k.old...)
}

// SignHead signs the text of a head.
func (k *Key) SignHead(text string) ([]byte, error) {
	b, err := note.Sign(&note.Note{Text: text}, k.current.signer)
	if err != nil {
		return nil, fmt.Errorf("signing a head of the trail: %w", err)
	}
	return b, nil
}
