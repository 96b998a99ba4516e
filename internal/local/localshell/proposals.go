package localshell

import (
	"crypto/rand"
	"sync"
)

// proposals keeps what each person was shown last and has not run. It stays here,
// and only its id goes out: what comes back runs as the bot had made it.
type proposals struct {
	mu   sync.Mutex
	last map[string]proposed // by person
}

type proposed struct{ id, value string }

// keep returns the id of what a person was shown, "" for nothing.
func (p *proposals) keep(person, value string) (id string) {
	if value == "" {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		p.last = map[string]proposed{}
	}
	id = rand.Text()
	p.last[person] = proposed{id, value}
	return id
}

// take returns what a person was shown, once; false for an id that is not known.
func (p *proposals) take(person, id string) (value string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, ok := p.last[person]
	if !ok || last.id != id {
		return "", false
	}
	delete(p.last, person)
	return last.value, true
}
