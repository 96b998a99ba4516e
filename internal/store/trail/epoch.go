package trail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/sign"
)

// An epoch is the life of the state between two restores. Runs that were open in an earlier epoch
// are closed and never continued. Ids and numbers of one epoch are never used in another.

// numbersBeyond matters if the highest used entry number is unknown. The numbers of a new epoch
// then continue after the next multiple of numbersBeyond.
const numbersBeyond = 100_000

// installTries limits the attempts to change the installation's record while other replicas
// change it.
const installTries = 5

// errOvertaken means that another replica, or the sealer, changed the state while this replica
// was about to begin an epoch. What this replica had read is out of date.
var errOvertaken = fmt.Errorf("%w: another replica changed the state at the same time; start the bot again", engine.ErrStoreDown)

// recognise begins an epoch if the store is older than a witness or the notes say. It also does so
// if the notes are new, and no witness and no other replica knows the store.
func (s *Log) recognise(ctx context.Context) error {
	found, err := s.etcd.Get(ctx, "reading the newest head", s.keys.Checkpoint())
	if err != nil {
		return err
	}
	cp, _ := s.readCheckpoint(etcdconn.FirstKV(found))
	var top audit.SignedHead
	why, vouched := "", false
	for _, w := range s.trust.witnesses {
		last, has := w.head()
		switch {
		case has && last.Above(cp.SignedHead):
			why = fmt.Sprintf("the witness %s has a head of %d entries (epoch %d), this store has %d (epoch %d)", w.Name(), last.Size, last.Epoch, cp.Size, cp.Epoch)
			if last.Above(top) {
				top = last
			}
		case has:
			vouched = true
		case w.isEmpty() && s.hadHead(w):
			s.Alarm("witness "+w.Name(), fmt.Sprintf("the witness %s had heads and is empty now: they were lost, or someone deleted them", w.Name()))
		}
	}
	if why == "" {
		if why, err = s.runs.OlderThanNoted(ctx); err != nil {
			return err
		}
	}
	if why == "" && s.trust.notes.Fresh() && !vouched {
		others, err := s.self.Vouched(ctx)
		if err != nil {
			return err
		}
		if !others {
			why = "neither the notes next to the key nor a witness has a record of this store, although it was in use before"
		}
	}
	if why == "" {
		return nil
	}
	return s.begin(ctx, epochChange{
		rev: s.trust.rev, epoch: max(s.Epoch(), top.Epoch) + 1, top: top.Last.N, guess: top.Last.N == 0,
		text: "The state was reset to an earlier time: " + why + ".",
	})
}

// Counter combines an epoch and a revision into one number, so that revisions of a later epoch
// are always higher.
func Counter(epoch, n uint64) uint64 { return epoch<<32 | n&(1<<32-1) }

func epochOf(counter uint64) uint64 { return counter >> 32 }

// epochChange is the data of a new epoch.
type epochChange struct {
	rev   int64 // of the installation's record, 0 for none
	epoch uint64
	top   uint64 // the highest entry number known to have been used
	guess bool   // top is a guess
	text  string // description for people
}

// begin begins an epoch. In one transaction it writes the record of the installation, and an entry
// for the epoch in the trail. There is no such entry if the trail is empty and c has no text.
func (s *Log) begin(ctx context.Context, c epochChange) error {
	h, tree, open, err := s.lastLife(ctx)
	if err != nil {
		return err
	}
	in := s.trust.install
	in.Epoch = c.epoch
	value, err := s.installValue(in)
	if err != nil {
		return err
	}
	ops := []clientv3.Op{clientv3.OpPut(s.keys.Installation(), value)}
	if h.N > 0 || c.text != "" {
		entry, err := s.restoredEntry(c, h, tree, open)
		if err != nil {
			return err
		}
		ops = append(ops, entry...)
	}
	s.etcd.Background.Add(1)
	made, err := s.etcd.Send(ctx, "beginning an epoch of the state", []clientv3.Cmp{
		s.self.Lives(), clientv3.Compare(clientv3.ModRevision(s.keys.Installation()), "=", c.rev),
		clientv3.Compare(clientv3.ModRevision(s.keys.Head()), "=", h.rev),
	}, ops, nil)
	if err != nil {
		return err
	}
	if !made.Succeeded {
		return errOvertaken
	}
	if c.text != "" {
		s.log.WarnContext(ctx, c.text, "epoch", c.epoch, "closed", open)
	}
	s.trust.mu.Lock()
	s.trust.install, s.trust.rev = in, made.Header.Revision
	s.trust.mu.Unlock()
	return s.forgetLost(open)
}

// lastLife reads how the previous epoch ended: the end of the trail, its tree, and the open runs.
func (s *Log) lastLife(ctx context.Context) (h head, tree headed, open []string, err error) {
	resp, err := s.etcd.Send(ctx, "reading where the trail ends", nil, []clientv3.Op{
		clientv3.OpGet(s.keys.Head()), clientv3.OpGet(s.keys.Checkpoint()),
		clientv3.OpGet(s.keys.Opens(), clientv3.WithPrefix(), clientv3.WithKeysOnly()),
	}, nil)
	if err != nil {
		return h, tree, nil, err
	}
	if kv := etcdconn.First(resp, 0); kv.ModRevision != 0 {
		h.rev = kv.ModRevision
		if h.Sealed, err = DecodeHead(kv); err != nil {
			return h, tree, nil, err
		}
	}
	for _, kv := range resp.Responses[2].GetResponseRange().Kvs {
		open = append(open, strings.TrimPrefix(string(kv.Key), s.keys.Opens()))
	}
	tree, err = s.treeOf(ctx, h, etcdconn.First(resp, 1))
	return h, tree, open, err
}

// restoredEntry seals the entry that records the new epoch in the trail.
func (s *Log) restoredEntry(c epochChange, h head, tree headed, open []string) ([]clientv3.Op, error) {
	rec := audit.Record{Kind: audit.Restored, At: s.conf.Now(), Replica: s.conf.Replica, Text: c.sentence(h.N, open), Lost: c.lost(h.N)}
	entry := audit.Seal(h.Sealed, max(h.Rev, 1), audit.Link(rec, 0, ""))
	line, err := audit.CanonicalEntry(entry)
	if err != nil {
		return nil, err
	}
	next := tree.tree.Clone()
	next.Append(line)
	_, value, err := s.checkpointOf(next, entry, c.epoch, tree.note)
	if err != nil {
		return nil, err
	}
	return []clientv3.Op{
		clientv3.OpPut(s.keys.Chunk(entry.N), string(line)+"\n"),
		clientv3.OpPut(s.keys.Head(), string(line)),
		clientv3.OpPut(s.keys.Checkpoint(), value),
	}, nil
}

// forgetLost marks each run as ended that is open in the notes and is not in open, the open runs of
// the store. For example, the store lost the run when it was reset.
func (s *Log) forgetLost(open []string) error {
	for _, id := range s.trust.notes.Open() {
		if !slices.Contains(open, id) {
			if err := s.trust.notes.End(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// lost returns how many entry numbers are skipped after the last entry of the store.
func (c epochChange) lost(last uint64) int {
	top := c.top
	if c.guess {
		top = (last/numbersBeyond + 1) * numbersBeyond
	}
	return int(max(top, last) - last)
}

// sentence says what happened, what it means and what to do.
func (c epochChange) sentence(last uint64, open []string) string {
	text := c.text
	if lost := c.lost(last); lost > 0 {
		text += fmt.Sprintf(" The trail in the store ended with entry %d; the numbers continue at %d.", last, last+uint64(lost)+1)
	}
	if len(open) == 0 {
		return text + " No runs were open in it."
	}
	slices.Sort(open)
	return text + fmt.Sprintf(" These runs were open in it; the bot closes them and does not continue them: %s. Check their targets before you request them again.", strings.Join(open, ", "))
}

func (s *Log) installValue(in installation) (string, error) {
	in.V = 1
	body, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	return string(s.trust.key.Sign(s.keys.Installation(), sign.Value{Epoch: in.Epoch, N: in.Epoch, Body: body})), nil
}

// addWitness records in the store that a witness has received a head.
func (s *Log) addWitness(ctx context.Context, name string) {
	for range installTries {
		s.trust.mu.Lock()
		in, rev := s.trust.install, s.trust.rev
		s.trust.mu.Unlock()
		in.Witnesses = append(slices.Clone(in.Witnesses), name)
		value, err := s.installValue(in)
		if err != nil {
			return
		}
		s.etcd.Background.Add(1)
		resp, err := s.etcd.Send(ctx, "storing that a witness has a head", []clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(s.keys.Installation()), "=", rev)},
			[]clientv3.Op{clientv3.OpPut(s.keys.Installation(), value)}, []clientv3.Op{clientv3.OpGet(s.keys.Installation())})
		if err != nil {
			return // the next head will be remembered
		}
		if resp.Succeeded {
			s.trust.mu.Lock()
			s.trust.install, s.trust.rev = in, resp.Header.Revision
			s.trust.mu.Unlock()
			return
		}
		if s.MovedOn(etcdconn.First(resp, 0)) && s.Stopped() != "" {
			return
		}
	}
}

// adoptUnsigned adopts a store in which nothing was ever signed. If the key was used before, the
// store was replaced, and its unsigned values are invalid.
func (s *Log) adoptUnsigned(ctx context.Context) error {
	var top audit.SignedHead
	for _, w := range s.trust.witnesses {
		if last, has := w.head(); has && last.Above(top) {
			top = last
		}
	}
	resp, err := s.etcd.Send(ctx, "looking for signed values", nil, []clientv3.Op{
		clientv3.OpGet(s.keys.Head(), clientv3.WithCountOnly()),
		clientv3.OpGet(s.keys.Runs(), clientv3.WithPrefix(), clientv3.WithCountOnly()),
	}, nil)
	if err != nil {
		return err
	}
	used := resp.Responses[0].GetResponseRange().Count > 0 || resp.Responses[1].GetResponseRange().Count > 0
	c := epochChange{epoch: max(top.Epoch, epochOf(s.trust.notes.Highest())) + 1, top: top.Last.N}
	switch {
	case top.Size > 0 || s.trust.notes.Highest() > 0:
		c.text = "The state in the store is not signed, although its key was in use before: the state was replaced."
		c.guess = top.Size == 0
	case used:
		c.text = unsignedUntilNow
	}
	if used && c.text == unsignedUntilNow {
		if err := s.runs.SignAll(ctx); err != nil {
			return err
		}
	}
	return s.begin(ctx, c)
}

const unsignedUntilNow = "From now on the state is signed; until now it was not."

// adopt adopts a store that was signed with another key, because a person requested it.
func (s *Log) adopt(ctx context.Context, rev int64, text string) error {
	found, err := s.etcd.Get(ctx, "reading whose state this is", s.keys.Installation())
	if err != nil {
		return err
	}
	old, _ := sign.Content(etcdconn.FirstKV(found).Value)
	if err := s.runs.SignAll(ctx); err != nil {
		return err
	}
	return s.begin(ctx, epochChange{rev: rev, epoch: max(old.N, s.Epoch()) + 1, text: strings.ToUpper(text[:1]) + text[1:] + "."})
}

// tellAlarms writes new alarms into the trail, so that they are posted in the audit channel.
func (s *Log) tellAlarms(ctx context.Context) {
	s.trust.mu.Lock()
	list := s.trust.fresh
	s.trust.fresh = nil
	s.trust.mu.Unlock()
	for i, text := range list {
		err := s.Append(ctx, audit.Record{Kind: audit.Note, Action: audit.Alarm, At: s.conf.Now(), Replica: s.conf.Replica, Text: text}, "")
		if err != nil {
			s.trust.mu.Lock()
			s.trust.fresh = append(list[i:], s.trust.fresh...)
			s.trust.mu.Unlock()
			if !errors.Is(err, engine.ErrStoreDown) {
				s.log.ErrorContext(ctx, "an alarm was not recorded", "err", err)
			}
			return
		}
	}
}
