package redact

// hints finds which of many short lower-case texts a line contains, in one pass over the line (Aho
// and Corasick 1975). Nearly every line contains none of them, and then needs no further check.
type hints struct {
	class [256]byte  // byte → column of next; 0 for bytes that are in no text
	width int        // columns
	next  []uint16   // state*width + column → state
	found [][]uint16 // rules whose hint ends there, by state
}

// newHints builds a table of the hints of all rules.
func newHints(rules []rule) *hints {
	h := &hints{width: 1}
	for _, r := range rules {
		for _, text := range r.hints {
			for i := range len(text) {
				if c := text[i]; h.class[c] == 0 {
					h.class[c] = byte(h.width)
					h.width++
				}
			}
		}
	}
	for c := byte('a'); c <= 'z'; c++ {
		h.class[c-'a'+'A'] = h.class[c]
	}
	h.state()
	for i, r := range rules {
		for _, text := range r.hints {
			h.add(text, uint16(i))
		}
	}
	h.link()
	return h
}

// state adds a state to the automaton and returns its number.
func (h *hints) state() uint16 {
	h.next = append(h.next, make([]uint16, h.width)...)
	h.found = append(h.found, nil)
	return uint16(len(h.found) - 1)
}

func (h *hints) add(text string, rule uint16) {
	at := uint16(0)
	for i := range len(text) {
		k := int(at)*h.width + int(h.class[text[i]])
		if h.next[k] == 0 {
			to := h.state()
			h.next[k] = to
		}
		at = h.next[k]
	}
	h.found[at] = append(h.found[at], rule)
}

// link turns the tree of the texts into an automaton. Where no text continues, the automaton goes
// to the longest suffix that begins another text. States are linked in the order of their depth.
func (h *hints) link() {
	type edge struct{ state, fall uint16 }
	queue := []edge{{0, 0}}
	for i := 0; i < len(queue); i++ {
		at := queue[i]
		for c := range h.width {
			k, elsewhere := int(at.state)*h.width+c, h.next[int(at.fall)*h.width+c]
			to := h.next[k]
			switch {
			case to == 0 && at.state == 0:
			case to == 0:
				h.next[k] = elsewhere
			default:
				if at.state == 0 {
					elsewhere = 0
				}
				h.found[to] = append(h.found[to], h.found[elsewhere]...)
				queue = append(queue, edge{to, elsewhere})
			}
		}
	}
}

// in appends to rules the rules that have a hint in the line, in the order in which the hints end.
// It may append a rule twice.
func (h *hints) in(line string, rules []uint16) []uint16 {
	at := uint16(0)
	for i := range len(line) {
		at = h.next[int(at)*h.width+int(h.class[line[i]])]
		if f := h.found[at]; f != nil {
			rules = append(rules, f...)
		}
	}
	return rules
}
