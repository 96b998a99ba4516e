package pager

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/sethvargo/go-retry"

	"dhbot/internal/secret"
)

// The supported APIs.
const (
	PagerDuty    = "pagerduty"
	Alertmanager = "alertmanager"
)

// EventsURL is PagerDuty's address for events.
const EventsURL = "https://events.pagerduty.com/v2/enqueue"

// Alert is one alert.
type Alert struct {
	Key      string // the same at the begin and at the end of a problem
	Cluster  string
	About    string // "prod-7", "R-7F3K"
	Summary  string
	Severity string // "critical", "error", "warning"
	Began    time.Time
	Link     string // to the message, "" if unknown
}

// Config configures where alerts go.
type Config struct {
	Shape string
	// URL may itself be secret, because it may contain a token.
	URL        secret.Text
	RoutingKey secret.Text // for PagerDuty
	CAFile     string      // "" for the system's authorities
	// RetryPause is the time before the first retry. Each further pause is twice as long, up to
	// mostRetry. 0 means 1 s.
	RetryPause time.Duration
	Now        func() time.Time
}

// Pager sends alerts.
type Pager struct {
	Config
	client *http.Client
}

const (
	callTimeout = 10 * time.Second
	mostRetry   = 20 * time.Second
	// sendBudget is the time limit for all attempts to send one alert.
	sendBudget = 2 * time.Minute
	// lasts is how long Alertmanager keeps an alert active that is not resolved.
	lasts   = 12 * time.Hour
	maxBody = 4 << 10
	// mostSummary is PagerDuty's maximum length of a summary.
	mostSummary = 1024
)

// New makes a Pager. It returns an error if the URL is missing, the shape is unknown, or the file
// of certificate authorities cannot be used.
func New(c Config) (*Pager, error) {
	if c.URL.IsZero() || c.Shape != PagerDuty && c.Shape != Alertmanager {
		return nil, errors.New("a pager needs a URL and a shape")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, err
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate", c.CAFile)
		}
	}
	client := &http.Client{
		Timeout:   callTimeout,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: conf, ForceAttemptHTTP2: true},
		// A redirect would send the routing key elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Pager{Config: c, client: client}, nil
}

// Trigger sends an alert, and retries temporary errors.
func (p *Pager) Trigger(ctx context.Context, a Alert) error { return p.send(ctx, a, false) }

// Resolve resolves an alert.
func (p *Pager) Resolve(ctx context.Context, a Alert) error { return p.send(ctx, a, true) }

func (p *Pager) send(ctx context.Context, a Alert, over bool) error {
	body, err := json.Marshal(p.body(a, over))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendBudget)
	defer cancel()
	backoff := retry.WithJitterPercent(20, retry.WithCappedDuration(mostRetry, retry.NewExponential(cmp.Or(p.RetryPause, time.Second))))
	return retry.Do(ctx, backoff, func(ctx context.Context) error { return p.post(ctx, body) })
}

func (p *Pager) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return errors.New("its URL cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return retry.RetryableError(p.without(err))
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	err = errors.Join(err, resp.Body.Close())
	switch code := resp.StatusCode; {
	case code/100 == 2 && err == nil:
		return nil
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500, code/100 == 2:
		return retry.RetryableError(fmt.Errorf("it answered %s", resp.Status))
	default:
		return fmt.Errorf("it answered %s: %s", resp.Status, reason(answer))
	}
}

// without removes the URL from an error, because it may be a secret.
func (p *Pager) without(err error) error {
	var in *url.Error
	if errors.As(err, &in) {
		return in.Err
	}
	return err
}

// reason returns the field "message" of a receiver's refusal, cut to 200 bytes, or a text that says
// that there is none. Other parts of the answer are not shown.
func reason(answer []byte) string {
	var a struct{ Message string }
	if json.Unmarshal(answer, &a) != nil || a.Message == "" {
		return "no reason given"
	}
	return a.Message[:min(len(a.Message), 200)]
}

// Check verifies that the receiver can be reached. It sends no alert. Any answer over a trusted
// connection is enough.
func (p *Pager) Check(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, p.URL.Reveal(), nil)
	if err != nil {
		return errors.New("its URL cannot be used")
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return p.without(err)
	}
	return resp.Body.Close()
}
