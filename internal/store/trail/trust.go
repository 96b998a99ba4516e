package trail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/sethvargo/go-retry"
	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/notes"
	"dhbot/internal/store/sign"
	"dhbot/internal/witness"
)

// The bot does not trust the store. Someone who can write to it, or has a copy of it, must not be
// able to make the bot act. Runs and claims are signed with a key outside the store. The newest
// revision of each run and every sent step are noted next to that key. The trail's heads are signed
// and sent to witnesses.

// trust has what is needed to decide whether to trust a store. A Log that was opened without a
// key file has no key. It reads signed values and changes nothing.
type trust struct {
	key       *sign.Key
	notes     *notes.Notes
	witnesses []*watched

	readOnly bool // signed, and opened without its key

	mu      sync.Mutex
	install installation
	rev     int64            // revision of the installation's record when it was read
	stop    string           // why nothing may be changed, "" for none
	sealed  audit.SignedHead // the last head that this process signed
	alarms  map[string]string
	fresh   []string // alarms not yet posted
}

// installation is the signed value of the key "install". Its signature includes a counter, which
// is the epoch.
type installation struct {
	V     int    `json:"v"`
	Epoch uint64 `json:"-"`
	// Witnesses are the witnesses that have ever received a head. If one of them is empty now, it
	// has lost its heads.
	Witnesses []string `json:"witnesses,omitempty"`
}

// NoKeyError means that a store is signed, but its key file is missing.
type NoKeyError struct{ File string }

func (e *NoKeyError) Error() string {
	return fmt.Sprintf("this state is signed, but its key file %s is missing: restore the file. If it is lost, run `bot state adopt`: it makes a new key and closes every open run, which keeps its locks until its targets were checked", e.File)
}

// OtherKeyError means that a store was signed with another key.
type OtherKeyError struct {
	File string
	Why  error
}

func (e *OtherKeyError) Error() string {
	return fmt.Sprintf("the key %s is not the one that this state was signed with (%v): restore the right file (state.key_file). If it is lost, run `bot state adopt`: it closes every open run and continues with this key", e.File, e.Why)
}

// KeyNeededError means that an external store needs a key that all replicas share.
type KeyNeededError struct{ File string }

func (e *KeyNeededError) Error() string {
	return fmt.Sprintf("the key file of the state, %s, is missing: create one with `bot state key`, and give the same file to every replica (state.key_file)", e.File)
}

// notesFile is the path of the notes. The file is in NotesDir, which is by default the directory
// of the key.
func (c Config) notesFile() string {
	return filepath.Join(c.NotesDir, filepath.Base(c.KeyFile)+".sent")
}
func (c Config) headsFile() string {
	return filepath.Join(c.NotesDir, filepath.Base(c.KeyFile)+".heads")
}

// Replicas may start at the same moment, and one may overtake the change of another. The
// overtaken replica tries again overtakenTries times, with a pause of overtakenPause before each
// attempt.
const (
	overtakenTries = 20
	overtakenPause = 100 * time.Millisecond
)

// LoadKey loads or creates the key, and opens the notes next to it.
func (s *Log) LoadKey(ctx context.Context) error {
	found, err := s.etcd.Get(ctx, "reading whose state this is", s.keys.Installation())
	if err != nil {
		return err
	}
	if s.conf.KeyFile == "" {
		s.trust.readOnly = len(found.Kvs) > 0
		return nil
	}
	key, err := s.loadKey(len(found.Kvs) > 0)
	if err != nil {
		return err
	}
	s.trust.key = key
	if len(found.Kvs) > 0 && !s.conf.Adopt {
		if err := s.readInstall(found.Kvs[0]); err != nil {
			return &OtherKeyError{s.conf.KeyFile, err}
		}
	}
	if err := s.openNotes(key); err != nil {
		return err
	}
	if s.etcd.Embedded() { // the lock of the directory gives this process the notes for itself
		if err := s.trust.notes.Compact(); err != nil {
			return err
		}
	}
	s.trust.witnesses = s.newWitnesses()
	return nil
}

// openNotes opens the notes of sent steps. If a state that was signed with another key is being
// adopted, openNotes first renames the notes of that key.
func (s *Log) openNotes(key *sign.Key) (err error) {
	file := s.conf.notesFile()
	s.trust.notes, err = notes.Open(file, key.Install(), s.conf.Now)
	if errors.Is(err, notes.ErrOther) && s.conf.Adopt {
		aside := file + s.conf.Now().UTC().Format(".20060102T150405Z")
		if err := os.Rename(file, aside); err != nil {
			return err
		}
		s.log.Warn("the notes of the former key were renamed", "file", aside)
		s.trust.notes, err = notes.Open(file, key.Install(), s.conf.Now)
	}
	return err
}

// Recognise checks that the bot left this store as it is now. It adopts a store that was never
// signed, or that a person wants to adopt.
func (s *Log) Recognise(ctx context.Context) error {
	if s.trust.key == nil {
		return nil
	}
	// The witnesses are asked before the store is read. If another replica seals in between, the
	// store is then newer than the heads, and not older.
	s.askWitnesses(ctx)
	tries := retry.WithMaxRetries(overtakenTries, retry.NewConstant(overtakenPause))
	return retry.Do(ctx, tries, func(ctx context.Context) error {
		err := s.takeState(ctx)
		if errors.Is(err, errOvertaken) {
			return retry.RetryableError(err)
		}
		return err
	})
}

// takeState adopts the state if it was never signed or a person wants to adopt it. Otherwise it
// checks that the state is as the bot left it. It returns errOvertaken if another replica changed
// the state first.
func (s *Log) takeState(ctx context.Context) error {
	found, err := s.etcd.Get(ctx, "reading whose state this is", s.keys.Installation())
	if err != nil {
		return err
	}
	if len(found.Kvs) == 0 {
		return s.adoptUnsigned(ctx)
	}
	err = s.readInstall(found.Kvs[0])
	switch {
	case s.conf.Adopt:
		return s.adopt(ctx, found.Kvs[0].ModRevision, "the state was adopted with `bot state adopt`")
	case err != nil:
		return &OtherKeyError{s.conf.KeyFile, err}
	default:
		return s.recognise(ctx)
	}
}

func (s *Log) loadKey(signed bool) (*sign.Key, error) {
	file := s.conf.KeyFile
	key, err := sign.Load(file)
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return key, err
	case signed && !s.conf.Adopt:
		return nil, &NoKeyError{file}
	case !s.etcd.Embedded():
		return nil, &KeyNeededError{file}
	default:
		s.log.Info("created a key for the state", "file", file)
		return sign.Create(file)
	}
}

// readInstall parses and keeps the record of the installation. It returns an error if this key
// did not sign the record.
func (s *Log) readInstall(kv *etcdconn.KeyValue) error {
	v, err := s.trust.key.Open(string(kv.Key), kv.Value)
	if err != nil {
		return err
	}
	var in installation
	if err := json.Unmarshal(v.Body, &in); err != nil {
		return fmt.Errorf("the record of the installation cannot be read: %w", err)
	}
	in.Epoch = v.N
	s.trust.mu.Lock()
	defer s.trust.mu.Unlock()
	s.trust.install, s.trust.rev = in, kv.ModRevision
	return nil
}

// Epoch is the current epoch.
func (s *Log) Epoch() uint64 {
	s.trust.mu.Lock()
	defer s.trust.mu.Unlock()
	return s.trust.install.Epoch
}

// LaterEpoch reports whether the given epoch has begun. It reads the installation's record again,
// because another replica may have begun the epoch.
func (s *Log) LaterEpoch(epoch uint64) bool {
	ctx, cancel := context.WithTimeout(context.Background(), s.conf.Timeout)
	defer cancel()
	found, err := s.etcd.Get(ctx, "reading whose state this is", s.keys.Installation())
	if err != nil || len(found.Kvs) == 0 || s.readInstall(found.Kvs[0]) != nil {
		return false
	}
	return epoch <= s.Epoch()
}

// Tampered raises an alarm and returns the error for an invalid value.
func (s *Log) Tampered(what string, why error) error {
	s.Alarm(what, fmt.Sprintf("%s in the store is invalid and is ignored: %v", what, why))
	return fmt.Errorf("%w: %s: %w", engine.ErrTampered, what, why)
}

// Alarm stores a problem of the given subject, and reports it once in the audit channel.
func (s *Log) Alarm(about, text string) {
	s.trust.mu.Lock()
	defer s.trust.mu.Unlock()
	if s.trust.alarms[about] == text {
		return
	}
	if s.trust.alarms == nil {
		s.trust.alarms = map[string]string{}
	}
	s.trust.alarms[about] = text
	s.trust.fresh = append(s.trust.fresh, text)
	s.log.Error("the store is not as the bot left it", "about", about, "text", text)
}

// calm removes an alarm that is over.
func (s *Log) calm(about string) {
	s.trust.mu.Lock()
	defer s.trust.mu.Unlock()
	delete(s.trust.alarms, about)
}

// Stopped says why nothing may be changed any more. For example, the store has two histories, or
// its head or its record of the installation is invalid. It returns "" if nothing is wrong.
func (s *Log) Stopped() string {
	s.trust.mu.Lock()
	defer s.trust.mu.Unlock()
	return s.trust.stop
}

func (s *Log) stopChanges(why string) {
	s.Alarm("trail", why)
	s.trust.mu.Lock()
	defer s.trust.mu.Unlock()
	s.trust.stop = why
}

// silentFor limits how long after the start the bot holds earlier runs because a witness has not
// answered.
const silentFor = 5 * time.Minute

// Hold says why a run may not be continued at the moment. It returns "" if the run may be
// continued.
func (s *Log) Hold(r engine.Run) string {
	if why := s.Stopped(); why != "" {
		return why
	}
	if s.trust.key == nil || !r.RequestedAt.Before(s.since) || s.conf.Now().Sub(s.since) > silentFor {
		return ""
	}
	for _, w := range s.trust.witnesses {
		if w.awaited() {
			return fmt.Sprintf("the run was open before the start, and the witness %s has not answered yet; the bot waits for it until %s",
				w.Name(), s.since.Add(silentFor).UTC().Format("15:04 MST"))
		}
	}
	return ""
}

// Current returns the condition that the record of the installation is unchanged since this replica
// read it, so that no other epoch has begun. It returns nil without a key.
func (s *Log) Current() []clientv3.Cmp {
	if s.trust.key == nil {
		return nil
	}
	s.trust.mu.Lock()
	defer s.trust.mu.Unlock()
	return []clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(s.keys.Installation()), "=", s.trust.rev)}
}

// newWitnesses returns the witnesses: the file of heads next to the key, and the witnesses in the
// config.
func (s *Log) newWitnesses() []*watched {
	own := s.conf.headsFile()
	list := []*watched{{Witness: witness.New(own), known: own + "@" + hostname()}}
	for _, name := range s.conf.Witnesses {
		list = append(list, &watched{Witness: witness.New(name), known: name})
	}
	return list
}

// MayChange returns an error if the store is signed and was opened without its key, or if changes
// were stopped (see Stopped).
func (s *Log) MayChange() error {
	if s.trust.readOnly {
		return errors.New("this state is signed and was opened without its key: nothing can be changed")
	}
	if why := s.Stopped(); why != "" {
		return fmt.Errorf("nothing is changed: %s", why)
	}
	return nil
}

// MovedOn reports whether another replica has written the installation's record since this replica
// read it. If so, MovedOn reads the new record.
func (s *Log) MovedOn(kv *etcdconn.KeyValue) bool {
	s.trust.mu.Lock()
	same := s.trust.key == nil || kv.ModRevision == s.trust.rev
	s.trust.mu.Unlock()
	if same {
		return false
	}
	if err := s.readInstall(kv); err != nil {
		s.stopChanges("the record of the installation in the store is invalid: " + err.Error())
	}
	return true
}

// Trust has the problems of stored values, and the health of each witness.
type Trust struct {
	Epoch      uint64
	Why, Notes []string
	Witnesses  []WitnessHealth
}

// Trust reports how far the store can be trusted. The argument cp is the stored checkpoint.
func (s *Log) Trust(cp *etcdconn.KeyValue) (out Trust) {
	if s.trust.key == nil {
		return out
	}
	head, _ := s.readCheckpoint(cp)
	s.trust.mu.Lock()
	out.Epoch = s.trust.install.Epoch
	if s.trust.stop != "" {
		out.Why = append(out.Why, "nothing is changed: "+s.trust.stop)
	}
	for _, about := range slices.Sorted(maps.Keys(s.trust.alarms)) {
		if text := s.trust.alarms[about]; text != s.trust.stop {
			out.Why = append(out.Why, text)
		}
	}
	s.trust.mu.Unlock()
	for _, w := range s.trust.witnesses {
		known := w.health(head.SignedHead)
		out.Witnesses = append(out.Witnesses, known)
		switch {
		case known.Why != "":
			since := known.Since.UTC().Format("15:04 MST")
			out.Notes = append(out.Notes, fmt.Sprintf("not witnessed by %s since %s: %s", known.Name, since, known.Why))
		case !known.Has:
			out.Notes = append(out.Notes, fmt.Sprintf("not witnessed yet by %s", known.Name))
		}
	}
	return out
}

// refreshInstall reads the installation's record again.
func (s *Log) refreshInstall(ctx context.Context) error {
	if s.trust.key == nil {
		return nil
	}
	found, err := s.etcd.Get(ctx, "reading whose state this is", s.keys.Installation())
	if err == nil {
		s.MovedOn(etcdconn.FirstKV(found))
	}
	return err
}
