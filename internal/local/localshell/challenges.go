package localshell

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"dhbot/internal/sshkey"
)

// challenges issues challenges without storing them, so that a flood of requests fills no memory. A
// challenge is a nonce with the person, the key, the command and the expiry, and with a MAC by this
// process. Only answered challenges are stored, because each may be answered only once.
type challenges struct {
	now    func() time.Time
	secret [sha256.Size]byte

	mu    sync.Mutex
	spent map[string]time.Time // the expiry of answered challenges, by their random part
}

const (
	randomBytes = 16
	// maxSpoilt limits the storing of wrong answers. If this many challenges are stored, a wrong
	// answer is refused but not stored, which is equally safe. Correct answers are always stored.
	maxSpoilt = 10_000
)

// given is the data in a challenge.
type given struct {
	id      string // the random part
	person  string
	command [sha256.Size]byte // the hash of the command
	key     [sha256.Size]byte // the hash of the key
	until   time.Time
}

func newChallenges(now func() time.Time) (*challenges, error) {
	c := &challenges{now: now, spent: map[string]time.Time{}}
	_, err := rand.Read(c.secret[:])
	return c, err
}

// give makes a challenge.
func (c *challenges) give(person, command string, key sshkey.Key) (nonce string, err error) {
	b := make([]byte, randomBytes, 256)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	b = binary.BigEndian.AppendUint64(b, uint64(c.now().Add(answerTime).UnixMilli()))
	text, of := sha256.Sum256([]byte(command)), sha256.Sum256(key.Wire())
	b = append(append(append(b, text[:]...), of[:]...), person...)
	return base64.RawURLEncoding.EncodeToString(append(b, c.mac(b)...)), nil
}

func (c *challenges) mac(b []byte) []byte {
	m := hmac.New(sha256.New, c.secret[:])
	m.Write(b)
	return m.Sum(nil)
}

// read returns the data in a challenge. If the challenge has expired or was already answered, read
// returns both the data and an error.
func (c *challenges) read(nonce string) (given, error) {
	const fixed = randomBytes + 8 + 2*sha256.Size
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	at := len(b) - sha256.Size
	if err != nil || at < fixed || !hmac.Equal(b[at:], c.mac(b[:at])) {
		return given{}, errors.New("this challenge is not valid: the bot has not issued it since its last start; send the command again")
	}
	g := given{
		id: string(b[:randomBytes]), person: string(b[fixed:at]),
		command: [sha256.Size]byte(b[randomBytes+8:]), key: [sha256.Size]byte(b[randomBytes+8+sha256.Size:]),
		until: time.UnixMilli(int64(binary.BigEndian.Uint64(b[randomBytes:]))),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch _, again := c.spent[g.id]; {
	case again:
		return g, errAnswered
	case !c.now().Before(g.until):
		return g, errors.New("the challenge is too old: please send the command again")
	}
	return g, nil
}

var errAnswered = errors.New("this challenge is not valid: it was already answered")

// spend marks a challenge as answered. It returns an error if the challenge was already answered.
func (c *challenges) spend(g given) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, again := c.spent[g.id]; again {
		return errAnswered
	}
	c.forget()
	c.spent[g.id] = g.until
	return nil
}

// spoil marks a challenge as answered after a wrong answer, so that no other answer is accepted.
func (c *challenges) spoil(g given) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget()
	if len(c.spent) < maxSpoilt && g.id != "" {
		c.spent[g.id] = g.until
	}
}

// forget deletes expired entries, but only if there are many entries. The caller holds the mutex.
func (c *challenges) forget() {
	if len(c.spent) < maxSpoilt {
		return
	}
	now := c.now()
	for id, until := range c.spent {
		if !now.Before(until) {
			delete(c.spent, id)
		}
	}
}
