package trail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"dhbot/internal/audit"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/witness"
)

// checkpoint is the value of the key "checkpoint". It has the hash tree of the sealed entries and
// the signed head of the tree. It is written with each chunk.
type checkpoint struct {
	V     int         `json:"v"`
	Size  uint64      `json:"size"`
	Parts []tlog.Hash `json:"parts"`
	Note  string      `json:"note"`
	// Before is the note of the previous checkpoint. If the bot ended after sealing and before
	// sending, the witnesses still have that note.
	Before string `json:"before,omitempty"`
}

// headed is a checkpoint that was read and found valid, or that this replica made. If the tree was
// computed again from the entries, only tree is set.
type headed struct {
	audit.SignedHead
	tree   audit.Tree
	note   string
	before string
}

// readCheckpoint parses a checkpoint. The result ok is false if no known key signed the
// checkpoint, or if its parts contradict each other.
func (s *Log) readCheckpoint(kv *etcdconn.KeyValue) (h headed, ok bool) {
	var c checkpoint
	if kv.ModRevision == 0 || json.Unmarshal(kv.Value, &c) != nil || c.V != 1 {
		return headed{}, false
	}
	head, err := audit.OpenHead([]byte(c.Note), s.trust.key.Verifiers())
	h = headed{head, audit.Tree{Size: c.Size, Parts: c.Parts}, c.Note, c.Before}
	return h, err == nil && head.Install == s.trust.key.Install() && h.tree.Valid() && head.Size == c.Size && head.Root == h.tree.Root()
}

// newestHead reads the newest head of the store. The result ok is false if the store has no head,
// or if the head is invalid. An invalid head stops all changes, and so does a missing head if heads
// of this trail are known.
func (s *Log) newestHead(ctx context.Context) (h headed, ok bool, err error) {
	// This lists the known heads before the store is read, because a head that becomes known
	// later may be newer than what was read.
	had := len(s.seenHeads()) > 0
	found, err := s.etcd.Get(ctx, "reading the newest head", s.keys.Checkpoint())
	if err != nil {
		return headed{}, false, err
	}
	h, ok = s.readCheckpoint(etcdconn.FirstKV(found))
	switch {
	case ok:
	case len(found.Kvs) > 0:
		s.stopChanges("the head of the trail in the store is not signed by this key")
	case had:
		s.stopChanges("the head of the trail is no longer in the store: it was removed, and perhaps entries with it")
	}
	return h, ok, nil
}

// SignedHead returns the newest signed head of the trail as a note, or "" if there is none.
// audit.OpenHead verifies the note.
func (s *Log) SignedHead(ctx context.Context) (string, error) {
	found, err := s.etcd.Get(ctx, "reading the newest head", s.keys.Checkpoint())
	if err != nil || len(found.Kvs) == 0 {
		return "", err
	}
	var c checkpoint
	if err := json.Unmarshal(found.Kvs[0].Value, &c); err != nil {
		return "", fmt.Errorf("the head of the trail in the store cannot be read: %w", err)
	}
	return c.Note, nil
}

// checkpointOf returns the checkpoint of a tree, with a signed head. The argument last is the
// last entry of the tree.
func (s *Log) checkpointOf(tree audit.Tree, last audit.Sealed, epoch uint64, before string) (headed, string, error) {
	h := audit.SignedHead{
		Install: s.trust.key.Install(), Epoch: epoch, Size: tree.Size, Root: tree.Root(), Last: audit.Head{N: last.N, Hash: last.Hash},
	}
	note, err := s.trust.key.SignHead(h.Text())
	if err != nil {
		return headed{}, "", err
	}
	b, err := json.Marshal(checkpoint{1, tree.Size, tree.Parts, string(note), before})
	return headed{h, tree, string(note), before}, string(b), err
}

// ErrFork means that the trail in the store does not continue a published head.
var ErrFork = errors.New("the trail in the store does not continue a head that was published: it was rewritten, or a copy of this store is in use elsewhere")

// rebuild computes the tree again from all entries up to number upTo. For each head in must, the
// tree at the size of that head must have the same root.
func (s *Log) rebuild(ctx context.Context, upTo uint64, must []audit.SignedHead) (audit.Tree, error) {
	var tree audit.Tree
	var broken error
	check := func() {
		for _, h := range must {
			if h.Size == tree.Size && h.Root != tree.Root() {
				broken = fmt.Errorf("%w (at %d entries)", ErrFork, h.Size)
			}
		}
	}
	enough := errors.New("enough")
	err := s.Trail(ctx, 1, func(e audit.Sealed) error {
		if e.N > upTo {
			return enough
		}
		line, err := audit.CanonicalEntry(e)
		if err != nil {
			return err
		}
		tree.Append(line)
		if check(); broken != nil {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return tree, err
	}
	return tree, broken
}

// treeOf returns the tree of the trail up to its head. This is the stored tree if it belongs to
// that head, and otherwise a tree computed from all entries.
func (s *Log) treeOf(ctx context.Context, h head, kv *etcdconn.KeyValue) (headed, error) {
	if cp, ok := s.readCheckpoint(kv); ok && cp.Last == (audit.Head{N: h.N, Hash: h.Hash}) {
		return cp, nil
	}
	if h.N == 0 {
		return headed{}, nil
	}
	tree, err := s.rebuild(ctx, h.N, s.seenHeads())
	if errors.Is(err, ErrFork) {
		s.stopChanges(err.Error())
	}
	return headed{tree: tree}, err
}

// seenHeads returns the heads that the trail must continue. These are the last head of each
// witness, and the last head that this process signed, except heads of another epoch.
func (s *Log) seenHeads() []audit.SignedHead {
	var out []audit.SignedHead
	epoch := s.Epoch()
	for _, w := range s.trust.witnesses {
		if h, ok := w.head(); ok && h.Epoch == epoch {
			out = append(out, h)
		}
	}
	s.trust.mu.Lock()
	defer s.trust.mu.Unlock()
	if s.trust.sealed.Size > 0 && s.trust.sealed.Epoch == epoch {
		out = append(out, s.trust.sealed)
	}
	return out
}

// WitnessHealth says how much of the trail a witness has.
type WitnessHealth struct {
	Name    string
	Has     bool      // the witness has a head of this state
	Entries uint64    // covered by its last head
	Missing uint64    // entries whose head it has not received
	Why     string    // why the witness receives no heads or is ignored, "" if it works
	Since   time.Time // when Why began
}

// watched is a witness and what is known about it.
type watched struct {
	witness.Witness
	known string // name of the witness in the installation's record

	mu      sync.Mutex
	asked   bool // the witness has answered since the start
	empty   bool // its last answer had no head, not even one that is not ours
	last    audit.SignedHead
	has     bool   // last is set
	note    string // the note from which last was read
	trouble string // why the witness is ignored or received nothing, "" for none
	since   time.Time
}

func (w *watched) head() (audit.SignedHead, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.has
}

// awaited reports whether the witness has given no answer since the bot started.
func (w *watched) awaited() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.asked
}

// isEmpty reports whether the witness has answered that it has no head.
func (w *watched) isEmpty() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.empty
}

// health compares the witness with the trail's newest head.
func (w *watched) health(head audit.SignedHead) WitnessHealth {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := WitnessHealth{Name: w.Name(), Has: w.has, Entries: w.last.Size, Missing: head.Size, Why: w.trouble, Since: w.since}
	if w.has && w.last.Epoch == head.Epoch {
		h.Missing -= min(w.last.Size, head.Size)
	}
	return h
}

func (w *watched) saw(h audit.SignedHead, note string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = true
	w.last = h
	w.has = true
	w.note = note
	w.trouble = ""
}

// fails stores a problem of the witness and reports whether the problem is new.
func (w *watched) fails(now time.Time, text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	fresh := w.trouble != text
	if fresh {
		w.trouble, w.since = text, now
	}
	return fresh
}

// witnessWithin is the time limit for a call to a witness.
const witnessWithin = 2 * time.Second

// askWitnesses asks all witnesses concurrently for the last head that each has.
func (s *Log) askWitnesses(ctx context.Context) {
	var all sync.WaitGroup
	for _, w := range s.trust.witnesses {
		all.Go(func() { s.askWitness(ctx, w) })
	}
	all.Wait()
}

// askWitness asks one witness for its last head. It uses only a valid head of this installation.
// Any other head raises an alarm and is ignored. An error or an empty answer raises no alarm.
func (s *Log) askWitness(ctx context.Context, w *watched) {
	ctx, cancel := context.WithTimeout(ctx, witnessWithin)
	defer cancel()
	msg, err := w.Last(ctx)
	about := "witness " + w.Name()
	if err != nil {
		if w.fails(s.conf.Now(), err.Error()) {
			s.log.WarnContext(ctx, "a witness does not answer", "witness", w.Name(), "err", err)
		}
		return
	}
	w.mu.Lock()
	w.asked = true
	w.empty = len(msg) == 0
	w.mu.Unlock()
	if len(msg) == 0 {
		return // recognise checks whether the witness has lost its heads, once the store is read
	}
	h, err := audit.OpenHead(msg, s.trust.key.Verifiers())
	if err == nil && h.Install != s.trust.key.Install() {
		err = errors.New("it belongs to another installation")
	}
	if err != nil {
		w.fails(s.conf.Now(), "its head is not ours: "+err.Error())
		s.Alarm(about, fmt.Sprintf("the witness %s has a head that is not ours (%v); it is ignored", w.Name(), err))
		return
	}
	s.calm(about)
	w.saw(h, string(msg))
}

// hadHead reports whether a witness has ever received a head.
func (s *Log) hadHead(w *watched) bool {
	s.trust.mu.Lock()
	defer s.trust.mu.Unlock()
	for _, name := range s.trust.install.Witnesses {
		if name == w.known {
			return true
		}
	}
	return false
}

// KeepWitnesses sends each new head to the witnesses, and reads the heads that they have, until
// ctx ends.
func (s *Log) KeepWitnesses(ctx context.Context) error {
	if s.trust.key == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(s.conf.WitnessEach)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), witnessWithin)
			defer cancel()
			s.tellWitnesses(last)
			return nil
		case <-tick.C:
		}
		if n%60 == 0 {
			s.askWitnesses(ctx)
		}
		s.tellWitnesses(ctx)
		s.tellAlarms(ctx)
	}
}

// tellWitnesses sends the newest head to every witness that lacks it. A silent witness does not
// delay the other witnesses.
func (s *Log) tellWitnesses(ctx context.Context) {
	cp, ok, err := s.newestHead(ctx)
	if err != nil || !ok {
		return // the store's health reports this
	}
	var all sync.WaitGroup
	for _, w := range s.trust.witnesses {
		if s.continues(ctx, w, cp) {
			all.Go(func() { s.tellWitness(ctx, w, cp) })
		}
	}
	all.Wait()
}

// continues compares the head of a witness with the store's head. The result says whether to send
// the store's head to the witness.
func (s *Log) continues(ctx context.Context, w *watched, cp headed) bool {
	last, has := w.head()
	switch {
	case !has:
		return true
	case last.Epoch == cp.Epoch && last.Size == cp.Size:
		if last.Root != cp.Root {
			s.stopChanges(fmt.Sprintf("two histories of this store exist: the witness %s has another head of %d entries (%v)", w.Name(), cp.Size, ErrFork))
		}
		return false
	case last.Above(cp.SignedHead):
		s.stopChanges(fmt.Sprintf("the witness %s has a head of %d entries, the store one of %d: the store was reset to an earlier time while it was in use, or a copy of it is in use elsewhere; start the bot again",
			w.Name(), last.Size, cp.Size))
		return false
	case last.Epoch != cp.Epoch:
		return true
	}
	w.mu.Lock()
	follows := w.note == cp.before
	w.mu.Unlock()
	if follows {
		return true
	}
	s.sealer.mu.Lock() // if this replica sealed every entry after last, the trail continues last
	known := s.sealer.tree.Size >= last.Size && s.sealer.since <= last.Size && s.sealer.note != ""
	s.sealer.mu.Unlock()
	if known {
		return true
	}
	if _, err := s.rebuild(ctx, cp.Last.N, []audit.SignedHead{last, cp.SignedHead}); errors.Is(err, ErrFork) {
		s.stopChanges(fmt.Sprintf("%v; the witness %s has the head", err, w.Name()))
		return false
	} else if err != nil {
		return false
	}
	return true
}

func (s *Log) tellWitness(ctx context.Context, w *watched, cp headed) {
	within, cancel := context.WithTimeout(ctx, witnessWithin)
	defer cancel()
	if err := w.Put(within, []byte(cp.note)); err != nil {
		if ctx.Err() == nil && w.fails(s.conf.Now(), err.Error()) {
			s.log.WarnContext(ctx, "a head was not witnessed", "witness", w.Name(), "err", err)
		}
		return
	}
	w.saw(cp.SignedHead, cp.note)
	if !s.hadHead(w) {
		s.addWitness(ctx, w.known)
	}
}

func hostname() string {
	host, err := os.Hostname()
	if err != nil {
		return "unnamed"
	}
	return host
}
