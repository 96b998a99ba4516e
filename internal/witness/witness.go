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
	"strings"
	"sync"
	"time"
)

// Witness stores heads.
type Witness interface {
	// Name is its name for people: its path or address.
	Name() string
	// Last returns the last stored head, nil for none.
	Last(ctx context.Context) ([]byte, error)
	// Put stores a head.
	Put(ctx context.Context, head []byte) error
}

// maxHead limits an answer of a witness: a head has about 300 bytes.
const maxHead = 64 << 10

// New makes a witness from the config: a path, or an http(s) URL.
func New(name string) Witness {
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		return &remote{url: name, client: &http.Client{Timeout: 10 * time.Second}}
	}
	return &file{name: name}
}

// separator ends each head in a file.
const separator = "=\n"

// rotateAt is the size at which a file is renamed, and a new one begins with the last head:
// heads are small, but their number grows forever.
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
	r, err := os.Open(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		// A missing mount must not look like an empty witness.
		if _, err := os.Stat(filepath.Dir(f.name)); err != nil {
			return nil, err
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return nil, err
	}
	from := max(info.Size()-maxHead, 0)
	b, err := io.ReadAll(io.NewSectionReader(r, from, info.Size()-from))
	if err != nil {
		return nil, err
	}
	return lastOf(b), nil
}

// lastOf is the last complete head in a file: a crash may have cut one off.
func lastOf(b []byte) []byte {
	end := bytes.LastIndex(b, []byte("\n"+separator))
	if end < 0 {
		return nil
	}
	begin := bytes.LastIndex(b[:end], []byte("\n"+separator))
	if begin >= 0 {
		begin += len("\n" + separator)
	}
	return bytes.Clone(b[max(begin, 0) : end+1])
}

func (f *file) Put(_ context.Context, head []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if info, err := os.Stat(f.name); err == nil && info.Size() > rotateAt {
		if err := os.Rename(f.name, f.name+".old"); err != nil {
			return err
		}
	}
	w, err := os.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	// lastOf ignores a head that a crash cut off before its separator.
	_, err = w.WriteString(string(head) + separator)
	return errors.Join(err, w.Sync(), w.Close())
}

// remote is an address that accepts heads with POST and returns the last one with GET.
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
		return nil, fmt.Errorf("it answers with %s", resp.Status)
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
		err = fmt.Errorf("it answers with %s", resp.Status)
	}
	return err
}
