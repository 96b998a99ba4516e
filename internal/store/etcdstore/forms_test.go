package etcdstore_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/internal/fleet"
	"dhbot/internal/publish"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/etcdstore"
)

// writeForms writes the forms that this version stores to a file of testdata. A file written by a
// release never changes: a changed form gets a new version, and a new file next to the old files.
var writeForms = flag.String("write-forms", "", "write the stored forms of this version to testdata/`NAME`")

var formsAt = time.Date(2026, 3, 9, 14, 6, 7, 0, time.UTC)

// TestStoredForms checks that this version reads everything that earlier versions stored, loses
// nothing, and can continue to work with it.
func TestStoredForms(t *testing.T) {
	if *writeForms != "" {
		writeStoredForms(t, filepath.Join("testdata", *writeForms))
	}
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			forms, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			understood(t, forms)
		})
	}
}

// understood puts stored values into an etcd and reads them through a store.
func understood(t *testing.T, forms *txtar.Archive) {
	endpoint := startEtcd(t)
	client := raw(t, endpoint)
	for _, f := range forms.Files {
		if _, err := client.Put(t.Context(), etcdstore.DefaultPrefix+f.Name, strings.TrimSuffix(string(f.Data), "\n")); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, etcdstore.Config{Endpoints: []string{endpoint}, Now: func() time.Time { return formsAt }})
	at, err := s.Get(t.Context(), "R-7F3K")
	if err != nil {
		t.Fatal(err)
	}
	again, err := engine.EncodeRun(at.Run)
	if err != nil {
		t.Fatal(err)
	}
	if lost := missing(t, form(forms, "run/R-7F3K"), again); lost != "" {
		t.Errorf("this version would lose a part of a stored run: %s", lost)
	}
	if open, err := s.Open(t.Context()); err != nil || len(open) != 1 {
		t.Errorf("open %v, %v", open, err)
	}
	if locks, err := s.Locks(t.Context()); err != nil || len(locks) != 1 || locks[0] != (engine.Lock{Name: "prod/db_dis", Run: "R-7F3K", Reason: at.Run.Plan.Title, Since: formsAt.UnixMilli()}) {
		t.Errorf("locks %+v, %v", locks, err)
	}
	claims := ""
	err = s.Unsettled(t.Context(), func(key string, payload []byte, replica string, at time.Time) error {
		claims += fmt.Sprintf("%s %s %s %v;", key, payload, replica, at.Equal(formsAt))
		return nil
	})
	if err != nil || claims != `slash/1 {"v":1} bot true;` {
		t.Errorf("claims %q, %v", claims, err)
	}
	if p, ok, err := s.Post(t.Context(), "R-7F3K"); err != nil || !ok || p != (publish.Post{Channel: "C1", TS: "1.2", Rev: 7}) {
		t.Errorf("post %+v, %v, %v", p, ok, err)
	}
	th, ok, err := s.Thread(t.Context(), "R-7F3K")
	if there := form(forms, "thread/R-7F3K") != nil; err != nil || ok != there || there && th != (publish.Thread{Channel: "C2", TS: "3.4", Linked: true}) {
		t.Errorf("thread %+v, %v, %v", th, ok, err)
	}
	if n, err := s.TrailPosted(t.Context()); err != nil || n != 1 {
		t.Errorf("posted %d, %v", n, err)
	}
	if list, err := s.Maintenance(t.Context()); err != nil || len(list) != 1 || list[0] != formsMaintenance() {
		t.Errorf("maintenance %+v, %v", list, err)
	}
	if rep := verify(t, s); rep.Entries != 4 { // two were sealed already, two are sealed now
		t.Errorf("%d entries", rep.Entries)
	}
	commit(t, s, change(at, engine.Unknown))
}

func form(forms *txtar.Archive, name string) []byte {
	for _, f := range forms.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

// missing compares two JSON texts. It returns what the first text has and the second lacks.
func missing(t *testing.T, was, is []byte) string {
	t.Helper()
	var a, b any
	if err := errors.Join(json.Unmarshal(was, &a), json.Unmarshal(is, &b)); err != nil {
		t.Fatal(err)
	}
	if m, ok := a.(map[string]any); ok {
		delete(m, "v") // this version writes its own form version
	}
	return cmp.Diff(a, common(a, b))
}

// common returns b without the fields that a does not have. Both are JSON values.
func common(a, b any) any {
	switch a := a.(type) {
	case map[string]any:
		m, ok := b.(map[string]any)
		if !ok {
			return b
		}
		out := map[string]any{}
		for k := range a {
			if v, ok := m[k]; ok {
				out[k] = common(a[k], v)
			}
		}
		return out
	case []any:
		l, ok := b.([]any)
		if !ok || len(l) != len(a) {
			return b
		}
		out := make([]any, len(l))
		for i := range l {
			out[i] = common(a[i], l[i])
		}
		return out
	default:
		return b
	}
}

func formsMaintenance() fleet.Maintenance {
	return fleet.Maintenance{Cluster: "prod", Process: "db_dis", From: formsAt, Until: formsAt.Add(time.Hour), By: "anna", Reason: "disk"}
}

// writeStoredForms stores one value of each kind, and then writes all keys to a file.
func writeStoredForms(t *testing.T, file string) {
	t.Helper()
	endpoint := startEtcd(t)
	s := open(t, etcdstore.Config{Endpoints: []string{endpoint}, Now: func() time.Time { return formsAt }})
	var r engine.Run
	fillValue(reflect.ValueOf(&r).Elem(), "run")
	r.ID, r.Records, r.Head, r.EndedAt = "R-7F3K", 0, "", nil
	at := commit(t, s, changeAt(engine.Stored{Run: r}, engine.Waiting))
	note := audit.Record{At: formsAt, Kind: audit.Note, Text: "start"}
	claim := func(key string) error { _, err := s.Claim(t.Context(), key, []byte(`{"v":1}`)); return err }
	seal := func() error { _, err := s.Seal(t.Context()); return err }
	c := changeAt(at, engine.Running)
	c.Take = []string{"prod/db_dis"}
	m := formsMaintenance()
	for i, do := range []func() error{
		func() error { return s.Append(t.Context(), note, "") },
		seal,
		func() error { _, err := s.Commit(t.Context(), c); return err },
		func() error { return claim("slash/1") },
		func() error { return claim("slash/2") },
		func() error { return s.SetMaintenance(t.Context(), m, note, "slash/2") },
		func() error { return s.SetPost(t.Context(), "R-7F3K", publish.Post{Channel: "C1", TS: "1.2", Rev: 7}) },
		func() error {
			return s.SetThread(t.Context(), "R-7F3K", publish.Thread{Channel: "C2", TS: "3.4", Linked: true})
		},
		func() error { return s.SetTrailPosted(t.Context(), 1) },
	} {
		if err := do(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	resp, err := raw(t, endpoint).Get(t.Context(), etcdstore.DefaultPrefix, clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	out := &txtar.Archive{Comment: []byte("What a store holds, key by key. Never written again once released.\n")}
	for _, kv := range resp.Kvs {
		name := strings.TrimPrefix(string(kv.Key), etcdstore.DefaultPrefix)
		if strings.HasPrefix(name, "replica/") || strings.HasPrefix(name, "leader/") { // they are deleted with their lease
			continue
		}
		out.Files = append(out.Files, txtar.File{Name: name, Data: append(kv.Value, '\n')})
	}
	if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
		t.Fatal(err)
	}
}

// changeAt is like change, but the time of the record is formsAt.
func changeAt(old engine.Stored, st engine.State) engine.Change {
	c := change(old, st)
	rec := c.Records[0]
	rec.At = formsAt
	c.Records[0] = rec
	c.Run.Head = audit.Hash(rec)
	return c
}

// fillValue sets every field of a value to something other than zero.
func fillValue(v reflect.Value, name string) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(formsAt))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem(), name)
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(v.Field(i), v.Type().Field(i).Name)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillValue(v.Index(0), name)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fillValue(key, "key of "+name)
		fillValue(value, name)
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("a " + name)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(2)
	case reflect.Uint8, reflect.Uint, reflect.Uint64:
		v.SetUint(2)
	default:
		panic("a stored run has a field of kind " + v.Kind().String())
	}
}

// A replica leaves values that a newer version stored to the newer replicas. They do not stop its
// own work, and Health names them.
func TestNewerForms(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	s, client := open(t, etcdstore.Config{Endpoints: []string{endpoint}}), raw(t, endpoint)
	at := newRun(t, s)
	verify(t, s)
	put := func(key, value string) {
		t.Helper()
		if _, err := client.Put(t.Context(), etcdstore.DefaultPrefix+key, value); err != nil {
			t.Fatal(err)
		}
	}
	put("run/R-2222", `{"v":9,"id":"R-2222","mood":"new"}`)
	put("open/R-2222", "")
	put("lock/prod/db_dis", `{"v":2,"run":"R-2222","mood":"new"}`)
	put("claim/slash/9", `{"v":2,"state":"dreaming"}`)

	open, err := s.Open(t.Context())
	if err != nil || len(open) != 1 || open[0].Run.ID != at.Run.ID {
		t.Errorf("open %v, %v", open, err)
	}
	if _, err := s.Get(t.Context(), "R-2222"); !errors.Is(err, engine.ErrNewerForm) || !strings.Contains(err.Error(), "R-2222") {
		t.Errorf("error %v, want ErrNewerForm", err)
	}
	c := change(at, engine.Running)
	c.Take = []string{"prod/db_dis"}
	var locked *engine.LockedError
	if _, err := s.Commit(t.Context(), c); !errors.As(err, &locked) || locked.Run != "R-2222" {
		t.Errorf("error %v, want that R-2222 holds the lock", err)
	}
	if err := s.Unsettled(t.Context(), func(key string, _ []byte, _ string, _ time.Time) error { return errors.New(key) }); err != nil {
		t.Errorf("a newer delivery is resumed: %v", err)
	}
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	commit(t, s, change(at, engine.Approved))
	in(t, s, etcdconn.Well, "newer")

	// This replica cannot read the record. So it does not seal it, and lets another replica try.
	put("rec/R-2222/00000001", `{"v":9,"at":"2026-03-09T14:06:07.000Z","run":"R-2222","seq":1,"kind":"dreamt"}`)
	if _, err := s.Seal(t.Context()); !errors.Is(err, audit.ErrNewer) {
		t.Errorf("error %v, want ErrNewer", err)
	}
	h, err := s.Health(t.Context())
	if err != nil || h.Sealer != "" || h.Pending != 2 {
		t.Errorf("health %+v, %v, want no sealer", h, err)
	}
	if n, err := s.Seal(t.Context()); n != 0 || err != nil {
		t.Errorf("sealed %d, %v while it lets others try", n, err)
	}
}
