package demo

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseScript(t *testing.T) {
	got, err := ParseScript(strings.NewReader(`
# a story
operator: /dh status db_dis
outsider@shared-vendor: @dh restart db_dis
approver: approve
approver: approve R-7F3K db_dis
approver2: deny wrong host
approver2: deny R-7F3K wrong host
operator: click Deny…
fault disconnect reason=warning
host infra-1 db_dis fail-start
wait 1500ms
expect Approval needed
expect 3m pid
refute 2s restart
verify audit
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Line{
		{Kind: Say, Who: "operator", Channel: "incident", Text: "/dh status db_dis"},
		{Kind: Say, Who: "outsider", Channel: "shared-vendor", Text: "@dh restart db_dis"},
		{Kind: Approve, Who: "approver", Channel: "incident"},
		{Kind: Say, Who: "approver", Channel: "incident", Text: "approve R-7F3K db_dis"},
		{Kind: Deny, Who: "approver2", Channel: "incident", Text: "wrong host"},
		{Kind: Say, Who: "approver2", Channel: "incident", Text: "deny R-7F3K wrong host"},
		{Kind: Click, Who: "operator", Channel: "incident", Text: "Deny…"},
		{Kind: Fault, Args: []string{"disconnect", "reason=warning"}},
		{Kind: Host, Args: []string{"infra-1", "db_dis", "fail-start"}},
		{Kind: Pause, For: 1500 * time.Millisecond},
		{Kind: Expect, Text: "Approval needed", For: DefaultExpect},
		{Kind: Expect, Text: "pid", For: 3 * time.Minute},
		{Kind: Refute, Text: "restart", For: 2 * time.Second},
		{Kind: Verify},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(Line{}, "N", "Source")); d != "" {
		t.Error(d)
	}
}

func TestParseScriptNamesEveryBadLine(t *testing.T) {
	_, err := ParseScript(strings.NewReader("expect\nrefute text\nhost infra-1\nverify chain\nnonsense\nfault\nwait soon\n"))
	if err == nil {
		t.Fatal("a script with bad lines was accepted")
	}
	for n := 1; n <= 7; n++ {
		if !strings.Contains(err.Error(), "line "+string(rune('0'+n))) {
			t.Errorf("line %d is not named in:\n%v", n, err)
		}
	}
}

func TestShows(t *testing.T) {
	const card = "⏳ Approval needed · restart db_dis\n✅ Done in 2 s · restart tailer1 on query1\n"
	for text, want := range map[string]bool{
		"done": true, "Done .. tailer1": true, "Done .. restart .. query1": true, "tailer1 .. Done": false,
		"Done .. db_dis": false, "needed .. tailer1": false, "Approval needed .. db_dis": true,
	} {
		if shows(card, text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
