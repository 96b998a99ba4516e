package adminsock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ErrNotRunning means that no bot listens on the socket.
var ErrNotRunning = errors.New("no running bot answers in this state directory")

// Trouble is the HTTP trailer that says why a response is incomplete. Fail uses it, because by then
// the status has been sent.
const Trouble = "Bot-Trouble"

// Declare announces the trailer that Fail sets. Call it before writing the response.
func Declare(w http.ResponseWriter) { w.Header().Set("Trailer", Trouble) }

// Fail ends a response that has already begun, and tells the client why it is incomplete. The
// client's Get returns this reason as an error.
func Fail(w http.ResponseWriter, err error) {
	w.Header().Set(Trouble, strings.Join(strings.Fields(err.Error()), " "))
}

const socketName = "control.sock"

// Socket returns the path of the socket in a state directory. Listen fails if the path is too long
// for a socket (108 bytes on Linux).
func Socket(dir string) string { return filepath.Join(dir, socketName) }

// Listen opens the socket. It replaces an existing socket: the caller holds the lock of the state
// directory, so no other bot is running.
func Listen(dir string) (net.Listener, error) {
	return listen(Socket(dir), "")
}

// ListenAt opens a socket at any path. The members of the group may connect; with group "", only
// the bot's own user and root. It replaces an existing socket that has no listener, and returns an
// error if another process listens.
func ListenAt(path, group string) (net.Listener, error) {
	if conn, err := net.Dial("unix", path); err == nil {
		return nil, errors.Join(fmt.Errorf("socket %s: another process already listens there; give each bot its own path", path), conn.Close())
	}
	return listen(path, group)
}

func listen(path, group string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket == 0 {
		return nil, fmt.Errorf("socket %s: a file that is not a socket exists there; remove it, or use another path", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w (a socket's path may have at most 107 bytes)", path, err)
	}
	if err := permit(path, group); err != nil {
		return nil, errors.Join(fmt.Errorf("socket %s: %w", path, err), l.Close())
	}
	return l, nil
}

// permit sets who may connect. It sets the group before the mode, so that no other group ever
// has access.
func permit(path, group string) error {
	if group == "" {
		return os.Chmod(path, 0o600)
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return fmt.Errorf("this machine has no group %q: %w", group, err)
	}
	gid, err := strconv.Atoi(g.Gid)
	if err != nil {
		return fmt.Errorf("the group %q has no number: %w", group, err)
	}
	if err := os.Chown(path, -1, gid); err != nil {
		return fmt.Errorf("the group of the socket cannot be set to %q; the bot's user must be a member of that group: %w", group, err)
	}
	return os.Chmod(path, 0o660)
}

// Serve serves l until ctx ends. Each user may hold a share of the connections. At that limit, a
// new connection displaces that user's oldest connection whose request is incomplete.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	return serve(ctx, l, h, requestTime)
}

// serve does the work of Serve. A request must arrive within the given time.
func serve(ctx context.Context, l net.Listener, h http.Handler, within time.Duration) error {
	srv := &http.Server{
		Handler: whole(h), ReadHeaderTimeout: within, ReadTimeout: within, IdleTimeout: within, MaxHeaderBytes: 16 << 10,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, callerKey{}, c) },
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			srv.Close()
		}
	}()
	err := srv.Serve(newGuard(l))
	if errors.Is(err, http.ErrServerClosed) {
		<-stopped
		return nil
	}
	return fmt.Errorf("control socket: %w", err)
}

// Client queries a running bot.
type Client struct {
	http *http.Client
}

// NewClient returns a client for the bot that uses a state directory.
func NewClient(dir string) *Client {
	return &Client{http: &http.Client{Transport: Transport(Socket(dir))}}
}

// Transport connects to a socket and ignores the host of a URL. A response must begin within a
// minute, and may then take any time. If other requests displaced the connection, Transport sends
// the request again, provided that it may be repeated.
func Transport(path string) http.RoundTripper {
	return &replay{http.Transport{
		ResponseHeaderTimeout: 60 * time.Second,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}}
}

// Get queries a path such as "/health" and copies the response to w. It returns ErrNotRunning if no
// bot listens. If the bot reports an error, even in the middle of the response, Get returns the
// bot's message.
func (c *Client) Get(ctx context.Context, path string, query url.Values, w io.Writer) error {
	u := url.URL{Scheme: "http", Host: "bot", Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return ErrNotRunning
		}
		return fmt.Errorf("querying the running bot: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return fmt.Errorf("the running bot answered %s: %s", resp.Status, text)
	}
	if _, err = io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("the answer of the running bot is incomplete: %w", err)
	}
	if trouble := resp.Trailer.Get(Trouble); trouble != "" {
		return fmt.Errorf("the running bot could not complete its answer: %s", trouble)
	}
	return nil
}
