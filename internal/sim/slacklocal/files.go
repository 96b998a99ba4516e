package slacklocal

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// maxFile is the largest size of an upload, in bytes. Slack itself allows more.
const maxFile = 32 << 20

// FileInfo is a file in a message.
type FileInfo struct {
	ID      string `json:"id"` // F…
	Name    string `json:"name"`
	Title   string `json:"title"`
	Size    int    `json:"size"` // bytes
	Created int64  `json:"created"`
	// URL is the address at which a browser can load the file.
	URL string `json:"url_private"`
}

// file is an upload, in progress or complete.
type file struct {
	info   FileInfo
	upload string // path of its upload URL
	until  time.Time
	data   []byte
	done   bool // all bytes received
	shared bool // completed
}

func fileURL(c *call) (object, error) {
	name, length := c.str("filename"), c.number("length", 0)
	switch {
	case name == "":
		return nil, apiErr("invalid_arguments", "[ERROR] missing required field: filename")
	case length <= 0 || length > maxFile:
		return nil, apiErr("invalid_arguments", "[ERROR] length must be a number of bytes above 0")
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	id := "F" + secret()
	f := &file{upload: secret(), until: s.cfg.Now().Add(time.Hour), info: FileInfo{
		ID: id, Name: name, Title: name, Size: length, Created: s.cfg.Now().Unix(), URL: s.URL() + "/local/file/" + id,
	}}
	s.files[id] = f
	// The upload URL has the host and port of the API, because clients refuse to upload
	// elsewhere.
	return object{"file_id": id, "upload_url": "http://" + c.host + "/upload/" + f.upload}, nil
}

// serveUpload accepts the bytes of a file. They may be raw, or in a multipart form with any part
// name.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFile+maxBody)
	data, err := uploaded(r)
	if err != nil {
		http.Error(w, "cannot read the upload: "+err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		if f.upload != r.PathValue("id") {
			continue
		}
		switch {
		case f.done, !s.cfg.Now().Before(f.until):
			http.Error(w, "this upload URL was already used", http.StatusGone)
		case len(data) != f.info.Size:
			http.Error(w, fmt.Sprintf("announced %d bytes, got %d", f.info.Size, len(data)), http.StatusBadRequest)
		default:
			f.data, f.done = data, true
			_, _ = fmt.Fprintf(w, "OK - %d", len(data))
		}
		return
	}
	http.Error(w, "no such upload URL", http.StatusNotFound)
}

// uploaded reads the bytes of an upload.
func uploaded(r *http.Request) ([]byte, error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		return io.ReadAll(r.Body)
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, err
	}
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the form has no file")
		}
		if err != nil {
			return nil, err
		}
		if p.FileName() != "" {
			return io.ReadAll(p)
		}
	}
}

func fileComplete(c *call) (object, error) {
	list, err := c.tree("files")
	if err != nil {
		return nil, apiErr("invalid_arguments", "[ERROR] "+err.Error())
	}
	items, _ := list.([]any)
	if len(items) == 0 {
		return nil, apiErr("invalid_arguments", "[ERROR] missing required field: files")
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	infos, err := s.complete(items)
	if err != nil {
		return nil, err
	}
	target := c.str("channel_id")
	if target == "" {
		target = c.str("channels")
	}
	if target != "" {
		ch, err := s.postTo(target)
		if err != nil {
			return nil, err
		}
		parent, err := s.thread(ch.ID, c.str("thread_ts"))
		if err != nil {
			return nil, err
		}
		s.say(Message{Channel: ch.ID, ThreadTS: parent, Files: infos}, plainContent(c.str("initial_comment")))
	}
	for _, f := range infos {
		s.files[f.ID].shared = true
	}
	return object{"files": infos}, nil
}

// complete checks that the files of a call are uploaded and not yet shared, and sets their titles.
// The caller locks.
func (s *Server) complete(items []any) ([]FileInfo, error) {
	var out []FileInfo
	for _, item := range items {
		o, _ := item.(object)
		id, _ := o["id"].(string)
		f := s.files[id]
		if f == nil || !f.done || f.shared {
			return nil, apiErr("file_not_found")
		}
		if t, _ := o["title"].(string); t != "" {
			f.info.Title = t
		}
		out = append(out, f.info)
	}
	return out, nil
}

// serveFile serves a file to a browser. It always serves plain text, so that a file cannot act as a
// web page.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f := s.files[r.PathValue("id")]
	s.mu.Unlock()
	if f == nil || !f.shared {
		localError(w, http.StatusNotFound, fmt.Errorf("there is no file %s", r.PathValue("id")))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(f.data)
}
