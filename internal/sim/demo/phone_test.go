package demo_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/internal/sim/slacklocal"
	"dhbot/internal/test/cardtest"
)

// TestApprovalFitsAPhone checks that the card of any request fits on a screen of 375×812 pixels
// with both buttons, beside the controls of the local Slack.
func TestApprovalFitsAPhone(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	local, edge := postOnly(t)
	w := open(t, browser, local.URL(), "approver", "incident", phoneWidth, 812)
	n := 0
	for _, s := range cardtest.All() {
		if !slices.ContainsFunc(s.Card.Buttons, func(b card.Button) bool { return b.Action == card.TapApprove }) {
			continue
		}
		n++
		if _, err := edge.Post(t.Context(), engine.Place{Channel: slacklocal.DemoIncident}, s.Card); err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		w.counts("article", n)
		for _, theme := range []string{"light", "dark"} {
			w.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.documentElement.dataset.theme = %q`, theme)))
			// hidden says how far the card and its buttons reach beyond the visible area when the
			// list is scrolled to the top of the card. It is "" if everything fits.
			hidden := eval[string](w, `(() => {
				const list = document.querySelector('#messages'), card = [...list.querySelectorAll('article')].at(-1)
				card.scrollIntoView({block: 'start', behavior: 'instant'})
				const seen = list.getBoundingClientRect(), buttons = [...card.querySelectorAll('.actions button')]
				const out = buttons.filter((b) => ['Approve', 'Approve…', 'Deny…'].includes(b.innerText))
				if (out.length !== 2) return 'it has ' + out.length + ' of the two buttons'
				const beyond = [...out, card].map((e) => e.getBoundingClientRect()).map((r) => Math.max(r.bottom - seen.bottom, seen.top - r.top))
				return beyond.every((n) => n <= 1) ? '' : 'pixels beyond the screen of Approve, Deny, the card: ' + beyond.map(Math.round)
			})()`)
			if hidden != "" {
				t.Errorf("%s, %s: %s", s.Name, theme, hidden)
			}
			w.keepIn("fits-"+s.Name, theme)
		}
	}
	w.clean()
}
