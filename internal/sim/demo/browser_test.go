package demo_test

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dhbot/internal/test/testenv"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// artefacts is the directory for screenshots, which people can review.
const artefacts = "../../../artefacts"

// startBrowser starts Chromium for a test. It returns the context in which the test opens
// windows.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path := testenv.Program(t, "chromium")
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.CombinedOutput(io.Discard))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	return ctx
}

// Limits for a busy machine.
const (
	windowLasts  = 5 * time.Minute
	pagePatience = 90 * time.Second
)

// window is a browser window in which one person uses the page.
type window struct {
	t    *testing.T
	ctx  context.Context
	name string

	mu      sync.Mutex
	trouble []string // errors of the page
}

// open opens a window for a user. The width and height are in pixels.
func open(t *testing.T, browser context.Context, base, user, channel string, width, height int64) *window {
	t.Helper()
	tab, cancel := chromedp.NewContext(browser)
	ctx, stop := context.WithTimeout(tab, windowLasts)
	w := &window{t: t, ctx: ctx, name: user}
	q := url.Values{"user": {user}, "channel": {channel}, "theme": {"light"}}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	var listening sync.WaitGroup
	listening.Go(func() { w.watchRequests(base) })
	listening.Go(w.watchConsole)
	t.Cleanup(func() { stop(); cancel(); listening.Wait() })
	w.do(chromedp.EmulateViewport(width, height, chromedp.EmulateScale(2)), chromedp.Navigate(base+"/window.html?"+q.Encode()),
		chromedp.WaitVisible(chromedp.CSS("#channels button[aria-current]")))
	return w
}

// watchRequests records requests to servers other than the local Slack.
func (w *window) watchRequests(base string) {
	for ev, err := range chromedp.Events(w.ctx, network.RequestWillBeSent) {
		if err != nil {
			return
		}
		if !strings.HasPrefix(ev.Request.URL, base+"/") && ev.Request.URL != "about:blank" {
			w.note("requested " + ev.Request.URL)
		}
	}
}

func (w *window) watchConsole() {
	for m, err := range chromedp.Console(w.ctx) {
		if err != nil {
			return
		}
		// If a user makes a mistake, the server answers with status 400. That is not an error of
		// the page.
		if m.Type != chromedp.ConsoleLog && !strings.Contains(m.Text, "status of 400") {
			w.note(fmt.Sprintf("console %s: %s", m.Type, m.Text))
		}
	}
}

func (w *window) note(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble = append(w.trouble, s)
}

// clean fails the test if the page contacted another server, logged an error, did not draw a
// block, or is wider than its window.
func (w *window) clean() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.trouble {
		w.t.Errorf("%s's page: %s", w.name, s)
	}
	for what, js := range map[string]string{
		"blocks it cannot draw":     `document.querySelectorAll('details.raw').length`,
		"pixels beyond its window":  `Math.max(0, document.documentElement.scrollWidth - innerWidth)`,
		"messages wider than space": `[...document.querySelectorAll('article')].filter((a) => a.scrollWidth > a.clientWidth).length`,
	} {
		if n := eval[int](w, js); n != 0 {
			w.t.Errorf("%s's page has %d %s", w.name, n, what)
		}
	}
}

func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	if err := chromedp.Do(w.ctx, steps...); err != nil {
		w.t.Fatalf("%s's window: %v", w.name, err)
	}
}

func eval[T any](w *window, js string) T {
	w.t.Helper()
	v, err := chromedp.Run(w.ctx, chromedp.Evaluate[T](js))
	if err != nil {
		w.t.Fatalf("%s's window: %s: %v", w.name, js, err)
	}
	return v
}

// types types a message key by key and presses Enter.
func (w *window) types(text string) {
	w.t.Helper()
	w.do(chromedp.SendKeys(chromedp.CSS("#room .composer input"), text+"\r"))
}

// sees waits until the newest message contains all texts.
func (w *window) sees(texts ...string) {
	w.t.Helper()
	var tests []string
	for _, s := range texts {
		tests = append(tests, fmt.Sprintf("text.includes(%q)", s))
	}
	js := `(() => { const text = [...document.querySelectorAll('#messages article')].at(-1)?.innerText ?? ''; return ` + strings.Join(tests, " && ") + ` })()`
	if err := w.poll(js, chromedp.WithPollingMutation()); err != nil {
		w.t.Fatalf("%s does not see %q: %v\nbut:\n%s", w.name, texts, err, eval[string](w, `document.querySelector('#messages').innerText`))
	}
}

// poll waits until a JavaScript expression is true.
func (w *window) poll(js string, how ...chromedp.PollOption) error {
	_, err := chromedp.Run(w.ctx, chromedp.Poll[chromedp.Void](js, append(how, chromedp.WithPollingTimeout(pagePatience))...))
	return err
}

// counts waits until the page has n elements.
func (w *window) counts(selector string, n int) {
	w.t.Helper()
	js := fmt.Sprintf("document.querySelectorAll(%q).length === %d", selector, n)
	if err := w.poll(js, chromedp.WithPollingMutation()); err != nil {
		w.t.Fatalf("%s's page has %d of %q, want %d: %v", w.name, eval[int](w, fmt.Sprintf("document.querySelectorAll(%q).length", selector)), selector, n, err)
	}
}

// shows waits until the list of messages contains all texts.
func (w *window) shows(texts ...string) { w.t.Helper(); w.waits("#messages", texts) }

// asks waits until the top form contains all texts.
func (w *window) asks(texts ...string) { w.t.Helper(); w.waits("dialog[open]", texts) }

func (w *window) waits(where string, texts []string) {
	w.t.Helper()
	var tests []string
	for _, s := range texts {
		tests = append(tests, fmt.Sprintf("text.includes(%q)", s))
	}
	js := fmt.Sprintf(`(() => { const text = document.querySelector(%q)?.innerText ?? ''; return `, where) + strings.Join(tests, " && ") + ` })()`
	if err := w.poll(js, chromedp.WithPollingMutation()); err != nil {
		w.t.Fatalf("%s does not see %q in %s: %v\nbut:\n%s", w.name, texts, where, err, eval[string](w, `document.body.innerText`))
	}
}

// tapsIn taps the button with the given label in the first message that contains text.
func (w *window) tapsIn(text, label string) {
	w.t.Helper()
	w.do(chromedp.Click(chromedp.Search(fmt.Sprintf(`(//main[@id="messages"]/article[contains(., %q)])[1]//button[.=%q]`, text, label))))
}

// shortcut uses the app's shortcut on the first message that contains text.
func (w *window) shortcut(text, name string) {
	w.t.Helper()
	// The click goes to the element and not to a position, because scrolling could move a
	// long message meanwhile.
	js := fmt.Sprintf(`[...document.querySelectorAll('#messages article')].find((a) => a.innerText.includes(%q)).querySelector('button[title="%s"]').click()`, text, name)
	eval[chromedp.Void](w, js)
}

// taps taps the button with the given label in the newest message.
func (w *window) taps(label string) {
	w.t.Helper()
	w.do(chromedp.Click(chromedp.Search(fmt.Sprintf(`(//main[@id="messages"]/article)[last()]//button[.=%q]`, label))))
}

// answers taps a button of the top question or form.
func (w *window) answers(label string) {
	w.t.Helper()
	w.do(chromedp.Click(chromedp.Search(fmt.Sprintf(`//dialog[@open]//button[.=%q]`, label))))
}

// keep saves a screenshot in the light and the dark theme.
func (w *window) keep(name string) {
	w.t.Helper()
	w.keepIn(name, "dark")
	w.keepIn(name, "light")
}

// keepIn saves a screenshot in one theme.
func (w *window) keepIn(name, theme string) {
	w.t.Helper()
	if err := os.MkdirAll(artefacts, 0o755); err != nil {
		w.t.Fatal(err)
	}
	eval[string](w, fmt.Sprintf("document.documentElement.dataset.theme = %q", theme))
	png, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(artefacts, name+"-"+theme+".png"), png, 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// overview opens the start page and waits until each window on it shows a message.
func (w *window) overview(base string) {
	w.t.Helper()
	w.do(chromedp.Navigate(base + "/"))
	const ready = `document.querySelectorAll('iframe').length > 0 && [...document.querySelectorAll('iframe')].every((f) => f.contentDocument?.querySelector('article'))`
	if err := w.poll(ready); err != nil {
		w.t.Fatalf("the desk's windows do not fill: %v", err)
	}
}
