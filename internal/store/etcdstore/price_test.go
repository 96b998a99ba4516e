package etcdstore_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/engine"
	"dhbot/internal/store/etcdstore"
	"dhbot/internal/store/sign"
)

// TestReadsSignNothing checks that a read signs no stored value and writes nothing to the notes,
// and that a change signs one value.
func TestReadsSignNothing(t *testing.T) {
	t.Parallel()
	endpoint := startEtcd(t)
	client := raw(t, endpoint)
	key := filepath.Join(t.TempDir(), "state.key")
	_, err := sign.Create(key)
	ok(t, err)
	s := open(t, etcdstore.Config{Endpoints: []string{endpoint}, KeyFile: key})
	stored := func() map[string]string {
		t.Helper()
		r, err := client.Get(t.Context(), etcdstore.DefaultPrefix, clientv3.WithPrefix())
		ok(t, err)
		out := map[string]string{}
		for _, kv := range r.Kvs {
			out[strings.TrimPrefix(string(kv.Key), etcdstore.DefaultPrefix)] = string(kv.Value)
		}
		return out
	}
	noted := func() int64 {
		t.Helper()
		info, err := os.Stat(key + ".sent")
		ok(t, err)
		return info.Size()
	}
	signed := func(before map[string]string) (list []string) {
		for k, v := range stored() {
			if _, is := sign.Content([]byte(v)); is && before[k] != v && !strings.HasPrefix(k, "replica/") {
				list = append(list, k)
			}
		}
		return list
	}
	before, notes := stored(), noted()
	for range 20 {
		r := read
		r.At = time.Now()
		ok(t, s.Append(t.Context(), r, ""))
	}
	if list := signed(before); len(list) > 0 || noted() != notes {
		t.Errorf("20 reads signed %q, and noted %d bytes", list, noted()-notes)
	}
	if len(stored()) < len(before)+20 {
		t.Error("the reads are not recorded")
	}
	before = stored()
	st := signedRun(t, s, engine.Waiting)
	if list := signed(before); len(list) != 1 || list[0] != "run/"+st.Run.ID {
		t.Errorf("a change signed %q", list)
	}
}
