package demo_test

import (
	"context"
	"testing"

	"dhbot/internal/sim/demo"
)

// The width of a common phone, the width of the narrowest phone in use, and the height of both.
const phoneWidth, narrowWidth, phoneHeight = 375, 320, 760

// TestApprovalInTheBrowser uses the page as several people. An operator types a command. An
// outsider and a user without the role are refused. An approver approves on a phone. The card
// then shows the outcome to everyone.
func TestApprovalInTheBrowser(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	o := demo.Options{Generation: "current", Pace: 0.05, Log: warnings(t)}
	err := demo.Run(t.Context(), o, func(_ context.Context, d *demo.Demo) error {
		base := d.Slack.URL()
		operator := open(t, browser, base, "operator", "incident", 1100, 800)
		phone := open(t, browser, base, "approver", "incident", phoneWidth, phoneHeight)
		narrow := open(t, browser, base, "reader", "incident", narrowWidth, phoneHeight)
		outsider := open(t, browser, base, "outsider", "shared-vendor", phoneWidth, phoneHeight)

		operator.types("/dh restart db_dis disk was full, freed 40 GB")
		for _, w := range []*window{operator, phone, narrow} {
			w.sees("Approval needed", "restart db_dis", "infra-1", "Sev 1", "monit restart db_dis", "disk was full, freed 40 GB")
		}
		phone.keep("approval-phone")
		narrow.keep("approval-narrow")

		outsider.types("/dh restart db_dis")
		outsider.sees("Only visible to you", "Not allowed")
		outsider.keep("refused-outsider")
		narrow.taps("Approve")
		narrow.answers("Approve")
		narrow.sees("Only visible to you", "Not allowed")
		narrow.keep("refused-narrow")

		phone.taps("Approve")
		phone.keep("confirm-phone")
		phone.answers("Approve")
		phone.sees("Done in", "restart db_dis", "→")
		operator.sees("Done in", "restart db_dis", "→")
		phone.keep("done-phone")
		operator.keep("done-desktop")
		if n := eval[int](operator, `document.querySelectorAll('#messages .actions').length`); n != 0 {
			t.Errorf("the finished run still offers %d rows of buttons", n)
		}
		for _, w := range []*window{operator, phone, narrow, outsider} {
			w.clean()
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestFirstPageInTheBrowser checks that the start page shows the windows of several people at
// once.
func TestFirstPageInTheBrowser(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	o := demo.Options{Generation: "current", Pace: 0.05, Log: warnings(t)}
	err := demo.Run(t.Context(), o, func(_ context.Context, d *demo.Demo) error {
		w := open(t, browser, d.Slack.URL(), "operator", "incident", 1280, 860)
		w.types("/dh status")
		w.sees("as expected", "query-2")
		w.types("/dh help")
		w.sees("What you can say", "Most used", "help restart")
		if eval[bool](w, `document.querySelector('#messages').innerText.includes('shortened')`) {
			t.Error("help is cut to fit a message")
		}
		w.overview(d.Slack.URL())
		if n := eval[int](w, `document.querySelectorAll('iframe').length`); n != 2 {
			t.Errorf("the desk shows %d windows, want 2", n)
		}
		w.keep("desk")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
