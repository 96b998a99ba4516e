package localshell

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"

	"dhbot/internal/local/adminsock"
	"dhbot/internal/sshkey"
)

const askPath = "/ask"

// Client sends commands to a running bot.
type Client struct {
	socket string
	http   *http.Client
}

// NewClient makes a client for the bot's socket.
func NewClient(socket string) *Client {
	return &Client{socket: socket, http: &http.Client{Transport: adminsock.Transport(socket)}}
}

// Request is a command, and the keys that can prove who sends it.
type Request struct {
	Command string
	As      string // the person's name, if the keys do not identify them
	Signers []sshkey.Signer
}

// Do runs a command. It calls f with every event except the last, and returns the End of the last
// event. It returns an error if there was no End: the command was refused, the bot does not answer,
// ctx ended, or f failed.
func (c *Client) Do(ctx context.Context, r Request, f func(Event) error) (End, error) {
	p, err := c.sign(ctx, r)
	if err != nil {
		return End{}, err
	}
	body, err := c.post(ctx, "/do", p)
	if err != nil {
		return End{}, err
	}
	defer body.Close()
	for lines := json.NewDecoder(bufio.NewReader(body)); ; {
		var e Event
		if err := lines.Decode(&e); err != nil {
			if ctx.Err() != nil {
				return End{}, ctx.Err()
			}
			return End{}, errors.New("the bot's answer ended early: the command may have run; check with `bot do runs` when the bot is back")
		}
		if e.End != nil {
			return *e.End, nil
		}
		if err := f(e); err != nil {
			return End{}, err
		}
	}
}

// sign requests a challenge, and signs it with the key that the challenge asks for.
func (c *Client) sign(ctx context.Context, r Request) (proof, error) {
	if len(r.Signers) == 0 {
		return proof{}, errors.New("there is no SSH key to prove who you are with: start an ssh-agent and `ssh-add`, or name a private key with --key")
	}
	a := ask{Command: r.Command, As: r.As}
	for _, s := range r.Signers {
		a.Keys = append(a.Keys, s.Key().Wire())
	}
	body, err := c.post(ctx, askPath, a)
	if err != nil {
		return proof{}, err
	}
	defer body.Close()
	var ch challenge
	if err := json.NewDecoder(io.LimitReader(body, maxBody)).Decode(&ch); err != nil {
		return proof{}, fmt.Errorf("the bot's challenge cannot be read: %w", err)
	}
	if strings.ContainsAny(ch.Nonce+ch.Person, "\n\r") || r.As != "" && ch.Person != r.As {
		return proof{}, errors.New("the bot's challenge is not for this command: nothing was signed")
	}
	for _, s := range r.Signers {
		if bytes.Equal(s.Key().Wire(), ch.Key) {
			sig, err := s.Sign(Purpose, words(ch.Nonce, ch.Person, r.Command))
			return proof{Nonce: ch.Nonce, Command: r.Command, Signature: sig}, err
		}
	}
	return proof{}, errors.New("the bot requested a signature by a key that was not offered: nothing was signed")
}

// post sends one request. If the bot refuses the request, the error has the bot's message.
func (c *Client) post(ctx context.Context, path string, v any) (io.ReadCloser, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://bot"+path, bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if path == askPath { // a second challenge does no harm
		req.Header["Idempotency-Key"] = nil
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil || len(bytes.TrimSpace(said)) == 0 {
		return nil, fmt.Errorf("the bot answered %s", resp.Status)
	}
	return nil, errors.New(strings.TrimSpace(string(said)))
}

// unreachable explains why the bot did not answer, and what to do.
func (c *Client) unreachable(ctx context.Context, err error) error {
	var op *net.OpError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("you have no access to the socket %s: ask to be added to the group that terminal.group in the config names", c.socket)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("no running bot answers at %s: check that `bot run` is running on this machine, with this config", c.socket)
	default:
		return fmt.Errorf("querying the running bot: %w", err)
	}
}
