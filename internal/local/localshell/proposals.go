package localshell

import (
	"crypto/rand"
	"sync"
)

// proposals keeps the last plan shown to each person. The client gets only the id of the
// plan, so the plan that runs is the one that the bot made.
type proposals struct {
	mu   sync.Mutex
	last map[string]proposed // by person
}

type proposed struct{ id, value string }

// keep returns the id of a shown plan, "" for none.
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

// take returns the plan with an id, once. It returns false for an unknown id.
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
