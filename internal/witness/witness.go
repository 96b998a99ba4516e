package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Witness stores heads.
type Witness interface {
	// Name names the witness in messages: a path or an address.
	Name() string
	// Last returns the last stored head, or nil if there is none.
	Last(ctx context.Context) ([]byte, error)
	// Put stores a head.
	Put(ctx context.Context, head []byte) error
}

// maxHead is the largest accepted answer of a witness, in bytes. A head has about 300 bytes.
const maxHead = 64 << 10

// New makes a witness from the config: a path, or an http(s) URL.
func New(name string) Witness {
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		return &remote{url: name, client: &http.Client{Timeout: 10 * time.Second}}
	}
	return &file{name: name}
}

// separator ends each head in a file. If a crash cut off a head, the next head is written after
// the text cutOff.
const (
	separator = "=\n"
	cutOff    = "(cut off)\n"
)

// rotateAt is the size, in bytes, at which a file is renamed to NAME.old and the next head
// begins a new file. Heads are small, but their number grows forever.
const rotateAt = 8 << 20

// file is an append-only file.
type file struct {
	name string
	mu   sync.Mutex
}

func (f *file) Name() string { return f.name }

func (f *file) Last(context.Context) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	// A missing mount must not look like an empty witness.
	if _, err := os.Stat(filepath.Dir(f.name)); err != nil {
		return nil, err
	}
	// After a crash between the rename and the first head of the new file, the last head is in the
	// old file.
	for _, name := range []string{f.name, f.name + ".old"} {
		b, err := tail(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if head := lastOf(b); head != nil {
			return head, nil
		}
	}
	return nil, nil
}

// tail reads the end of a file. It reads more bytes than a head has.
func tail(name string) ([]byte, error) {
	r, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return nil, err
	}
	from := max(info.Size()-maxHead, 0)
	return io.ReadAll(io.NewSectionReader(r, from, info.Size()-from))
}

// lastOf returns the last complete head in b, or nil if there is none.
func lastOf(b []byte) []byte {
	end := bytes.LastIndex(b, []byte("\n"+separator))
	if end < 0 {
		return nil
	}
	for _, head := range slices.Backward(bytes.Split(b[:end], []byte("\n"+separator))) {
		if head = append(bytes.Clone(head), '\n'); !bytes.HasSuffix(head, []byte(cutOff)) {
			return head
		}
	}
	return nil
}

func (f *file) Put(_ context.Context, head []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	end, err := tail(f.name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if info, err := os.Stat(f.name); err == nil && info.Size() > rotateAt {
		if err := os.Rename(f.name, f.name+".old"); err != nil {
			return err
		}
		end = nil
	}
	text := string(head) + separator
	if len(end) > 0 && !bytes.HasSuffix(end, []byte("\n"+separator)) {
		text = "\n" + cutOff + separator + text
	}
	w, err := os.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = w.WriteString(text)
	return errors.Join(err, w.Sync(), w.Close())
}

// remote is an address that accepts heads with POST and returns the last head with GET.
type remote struct {
	url    string
	client *http.Client
}

func (r *remote) Name() string { return r.url }

func (r *remote) Last(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusNoContent:
		return nil, nil
	default:
		return nil, fmt.Errorf("the witness answers with %s", resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxHead))
	if err != nil || len(bytes.TrimSpace(b)) == 0 {
		return nil, err
	}
	return b, nil
}

func (r *remote) Put(ctx context.Context, head []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(head))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxHead))
	if err = errors.Join(err, resp.Body.Close()); err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("the witness answers with %s", resp.Status)
	}
	return err
}
