package audit

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Tree is the Merkle tree (RFC 6962) over the entries of a trail: leaf i, from 0, is the line
// of entry i as CanonicalEntry writes it. Tree keeps only the roots of the largest complete
// subtrees, which is enough to append.
type Tree struct {
	Size  uint64
	Parts []tlog.Hash // the largest first
}

// Append adds the next entry to the tree. line is the entry's line, without the newline.
func (t *Tree) Append(line []byte) { t.append(tlog.RecordHash(line)) }

// append adds the hash of the next entry's line.
func (t *Tree) append(h tlog.Hash) {
	for size := t.Size; size&1 == 1; size >>= 1 {
		last := len(t.Parts) - 1
		h = tlog.NodeHash(t.Parts[last], h)
		t.Parts = t.Parts[:last]
	}
	t.Parts = append(t.Parts, h)
	t.Size++
}

// Valid reports whether the tree has as many parts as its size requires.
func (t Tree) Valid() bool { return len(t.Parts) == bits.OnesCount64(t.Size) }

// Clone returns a copy that shares no memory with t.
func (t Tree) Clone() Tree { return Tree{t.Size, append([]tlog.Hash(nil), t.Parts...)} }

// emptyRoot is the SHA-256 of nothing.
var emptyRoot = tlog.Hash{
	0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
	0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
}

// Root returns the hash of the whole tree.
func (t Tree) Root() tlog.Hash {
	if t.Size == 0 || !t.Valid() {
		return emptyRoot
	}
	h := t.Parts[len(t.Parts)-1]
	for i := len(t.Parts) - 2; i >= 0; i-- {
		h = tlog.NodeHash(t.Parts[i], h)
	}
	return h
}

// SignedHead is a published head of the trail: its installation and epoch, the number of
// entries, the root of the tree over them, and the number and hash of the last entry. Its text
// is a checkpoint in the format of transparency logs, and is signed as a note:
//
//	dhbot/INSTALL
//	SIZE
//	ROOT, in base64
//	epoch EPOCH
//	entry NUMBER HASH
//
//	— dhbot SIGNATURE
type SignedHead struct {
	Install string
	Epoch   uint64
	Size    uint64
	Root    tlog.Hash
	Last    Head
}

const headOrigin = "dhbot/"

// Text is the signed text.
func (h SignedHead) Text() string {
	return fmt.Sprintf(
		"%s%s\n%d\n%s\nepoch %d\nentry %d %s\n",
		headOrigin, h.Install, h.Size, base64.StdEncoding.EncodeToString(h.Root[:]), h.Epoch, h.Last.N, h.Last.Hash,
	)
}

// Above reports whether h is later than o: it has a later epoch, or the same epoch and more
// entries. Both must be of the same installation, which Above does not check.
func (h SignedHead) Above(o SignedHead) bool {
	return h.Epoch > o.Epoch || h.Epoch == o.Epoch && h.Size > o.Size
}

// ErrNotOurs means that no known key signed a head.
var ErrNotOurs = errors.New("no known key signed it")

// OpenHead verifies the note of a head with the public keys of an installation.
func OpenHead(msg []byte, verifiers []string) (SignedHead, error) {
	var list []note.Verifier
	for _, text := range verifiers {
		v, err := note.NewVerifier(text)
		if err != nil {
			return SignedHead{}, fmt.Errorf("the public key %q: %w", text, err)
		}
		list = append(list, v)
	}
	n, err := note.Open(msg, note.VerifierList(list...))
	if err != nil {
		return SignedHead{}, fmt.Errorf("%w: %w", ErrNotOurs, err)
	}
	return parseHead(n.Text)
}

func parseHead(text string) (SignedHead, error) {
	bad := errors.New("it is not a head of a trail")
	lines := strings.Split(text, "\n")
	if len(lines) != 6 || !strings.HasPrefix(lines[0], headOrigin) {
		return SignedHead{}, bad
	}
	h := SignedHead{Install: lines[0][len(headOrigin):]}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || copy(h.Root[:], root) != tlog.HashSize {
		return SignedHead{}, bad
	}
	entry := strings.Fields(lines[4])
	epoch, isEpoch := strings.CutPrefix(lines[3], "epoch ")
	if !isEpoch || len(entry) < 2 || entry[0] != "entry" {
		return SignedHead{}, bad
	}
	if len(entry) == 3 {
		h.Last.Hash = entry[2]
	}
	for _, number := range []struct {
		text string
		to   *uint64
	}{{lines[1], &h.Size}, {epoch, &h.Epoch}, {entry[1], &h.Last.N}} {
		if *number.to, err = strconv.ParseUint(number.text, 10, 63); err != nil {
			return SignedHead{}, bad
		}
	}
	if h.Text() != text {
		return SignedHead{}, bad
	}
	return h, nil
}

// SplitHeads splits the notes of a file: one note, or several, each followed by a line "=".
func SplitHeads(b []byte) [][]byte {
	var out [][]byte
	for part := range bytes.SplitSeq(b, []byte("\n=\n")) {
		if part = bytes.Trim(part, "\n"); len(part) > 0 {
			out = append(out, append(bytes.Clone(part), '\n'))
		}
	}
	return out
}
