package audit

import (
	"cmp"
	"fmt"
	"slices"
)

// heads are the heads that a verification must find in a trail.
type heads struct {
	kept   map[uint64]string     // by number of the entry
	roots  map[uint64]SignedHead // by number of the entry
	passed map[uint64]bool       // those that were found

	vouched   uint64 // the newest entry whose head was found
	signed    *SignedHead
	forgotten []Head
}

// collect gathers the known heads of the trail from the options. It returns an error if two heads
// have the same number but different hashes, or if the heads do not prove where the trail begins.
func collect(o Options) (*heads, error) {
	h := &heads{kept: map[uint64]string{}, roots: map[uint64]SignedHead{}, passed: map[uint64]bool{}}
	add := func(k Head) error {
		if other, twice := h.kept[k.N]; twice && other != k.Hash {
			return &BrokenError{k.N, "two different heads with this number were kept elsewhere: there have been two trails"}
		}
		h.kept[k.N] = k.Hash
		return nil
	}
	for _, k := range o.Heads {
		if err := add(k); err != nil {
			return h, err
		}
	}
	for _, s := range o.Signed {
		if err := add(s.Last); err != nil {
			return h, err
		}
		h.roots[s.Last.N] = s
	}
	return h, h.begin(o)
}

// begin checks the known heads against the start of the part that is verified.
func (h *heads) begin(o Options) error {
	at, continued := h.kept[o.After.N]
	switch {
	case o.After.N == 0:
		delete(h.kept, 0) // the head of an empty trail
		return nil
	case continued && at != o.After.Hash:
		return &BrokenError{o.After.N, rewritten}
	case o.Anchored && !continued:
		return &BrokenError{o.After.N + 1, fmt.Sprintf(
			"the file begins here and claims to continue entry %d, but no head confirms this: entries 1 to %d may have been cut off. Give the head of entry %d, or verify the whole trail",
			o.After.N, o.After.N, o.After.N)}
	}
	for _, k := range o.Heads {
		if k.N < o.After.N {
			return &BrokenError{o.After.N + 1, fmt.Sprintf(
				"the file begins here, after head %d: whether it continues that head cannot be verified. Verify the whole trail", k.N)}
		}
	}
	for n := range h.roots { // a head from before the file proves nothing about it
		if n < o.After.N {
			delete(h.kept, n)
			delete(h.roots, n)
		}
	}
	if continued {
		h.passed[o.After.N] = true
	}
	return nil
}

// forget removes the heads of the entries that a restore lost. s is the entry of the restore, and
// before is the number of the last entry that the restore kept.
func (h *heads) forget(before uint64, s *Sealed) {
	if s.Record.Lost == 0 {
		return
	}
	for n, hash := range h.kept {
		if n > before && n < s.N {
			h.forgotten = append(h.forgotten, Head{n, hash})
			delete(h.kept, n)
			delete(h.roots, n)
		}
	}
	slices.SortFunc(h.forgotten, func(a, b Head) int { return cmp.Compare(a.N, b.N) })
}

// found compares an entry with the known head that has its number, if there is one.
func (h *heads) found(s *Sealed, tree *Tree, whole bool) error {
	hash, kept := h.kept[s.N]
	if !kept {
		return nil
	}
	if hash != s.Hash {
		return &BrokenError{s.N, rewritten}
	}
	if signed, ok := h.roots[s.N]; ok {
		if whole && (signed.Size != tree.Size || signed.Root != tree.Root()) {
			return &BrokenError{s.N, "the signed head of this entry has another tree: earlier entries were rewritten"}
		}
		h.signed = &signed
	}
	h.passed[s.N] = true
	h.vouched = s.N
	return nil
}

// missing returns an error if a known head was not in the trail. last is the number of the trail's
// last entry.
func (h *heads) missing(last uint64) error {
	left := uint64(0)
	for n := range h.kept {
		if !h.passed[n] {
			left = max(left, n)
		}
	}
	switch {
	case left > last:
		return &BrokenError{last + 1, fmt.Sprintf(
			"missing: the trail ends at %d, but the head kept elsewhere is number %d; its end was cut off", last, left)}
	case left > 0:
		return &BrokenError{left, "no entry has the number of this head, and no restore explains this"}
	default:
		return nil
	}
}
