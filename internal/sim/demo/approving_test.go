package demo_test

import (
	"context"
	"testing"

	"dhbot/internal/sim/demo"
)

// TestApprovingInTheBrowser plays an approval on a phone. The bot mentions the approver, who
// reports that they are looking, reads every step, and uses the shortcut on the message. A late
// tap after the approval gets an answer that explains why it had no effect.
func TestApprovingInTheBrowser(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	o := demo.Options{Generation: "current", Pace: 0.05, Log: warnings(t)}
	err := demo.Run(t.Context(), o, func(_ context.Context, d *demo.Demo) error {
		base := d.Slack.URL()
		operator := open(t, browser, base, "operator", "incident", 1100, 800)
		phone := open(t, browser, base, "approver", "incident", phoneWidth, phoneHeight)
		narrow := open(t, browser, base, "approver2", "incident", narrowWidth, phoneHeight)

		operator.types("/dh restart db_query_server moved to a new disk")
		phone.sees("Approval needed", "restart db_query_server", "@approver", "please approve or deny")
		phone.keep("called-phone")
		narrow.shows("trail")
		narrow.taps("Details")
		narrow.answers("👀 I'm looking")
		phone.sees("approver2 has been looking since")
		narrow.asks("Details of R-", "approver2 has been looking since")
		narrow.keep("looking-narrow")
		narrow.answers("Close")

		phone.taps("Details")
		phone.asks("Details of R-", "1 of ", "Sent as", "time-out", "Page 1 of 2")
		phone.keep("details-phone")
		phone.answers("Next →")
		phone.asks("Page 2 of 2", "← Back")
		phone.clean()
		phone.answers("Close")

		phone.shows("2 records", "trail") // wait for the last edit, because an edit closes forms on the message
		phone.shortcut("Approval needed", "Ask about Deephaven")
		phone.asks("What do you want?", "Command")
		phone.keep("shortcut-phone")
		phone.answers("Send")
		operator.shows("1 reply")

		phone.tapsIn("Approval needed", "Approve")
		phone.answers("Approve")
		operator.shows("Done in")
		phone.shows("trail")
		phone.keep("linked-phone")
		for _, w := range []*window{operator, phone, narrow} {
			w.clean()
		}

		trail := open(t, browser, base, "approver", "audit", phoneWidth, phoneHeight)
		trail.shows("requested", "The message of R-", "replies")
		trail.keep("trail-phone")
		trail.clean()
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
