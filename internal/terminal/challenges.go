package terminal

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"sync"
	"time"

	"dhbot/internal/sshkey"
)

// challenges are those that were given out and not answered yet. Each can be
// answered once, by the process that gave it out, within answerTime.
type challenges struct {
	now  func() time.Time
	mu   sync.Mutex
	open map[string]given
}

type given struct {
	person, command string
	key             sshkey.Key
	until           time.Time
}

// maxChallenges bounds what those who never answer can hold.
const maxChallenges = 256

func (c *challenges) give(person, command string, key sshkey.Key) (nonce string, err error) {
	b := make([]byte, nonceBytes)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	nonce = base64.RawURLEncoding.EncodeToString(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[string]given{}
	}
	now := c.now()
	for n, g := range c.open {
		if !now.Before(g.until) {
			delete(c.open, n)
		}
	}
	if len(c.open) >= maxChallenges {
		return "", errors.New("too many commands wait for their signature at this socket; please try again in a minute")
	}
	c.open[nonce] = given{person, command, key, now.Add(answerTime)}
	return nonce, nil
}

// take gives a challenge back and forgets it, whatever comes of the answer.
func (c *challenges) take(nonce string) (given, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g, ok := c.open[nonce]
	delete(c.open, nonce)
	switch {
	case !ok:
		return given{}, errors.New("this challenge is not open: it was answered before, or never given out")
	case !c.now().Before(g.until):
		return g, errors.New("the challenge is too old: please send the command again")
	}
	return g, nil
}
