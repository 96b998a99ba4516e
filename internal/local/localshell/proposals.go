package localshell

import (
	"crypto/rand"
	"sync"
)

// proposals keeps the last plan that each person was shown. The client gets only the id of the
// plan, so it cannot run an altered plan.
type proposals struct {
	mu   sync.Mutex
	last map[string]proposed // by person
}

type proposed struct{ id, value string }

// keep stores a plan that is shown to a person, and returns its new id. The id is "" if value is
// "".
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

// take removes and returns a person's plan. The result ok is false if the person has no plan with
// this id.
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
