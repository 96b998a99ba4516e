package slackio

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"
	"pgregory.net/rapid"

	"dhbot/auth"
	"dhbot/internal/card"
	"dhbot/internal/slackio/blockkit"
)

var homeRenderer blockkit.Renderer

// hostile is content that would be a mention, a link or a format if it were not
// escaped.
var hostile = []string{
	"@everyone", "@here", "<!channel>", "<!subteam^S123>", "<@U0123ABC>", "<#C0123ABC>", "<https://evil.example|click>",
	"https://evil.example/x", "mailto:a@b.example", "```", "`x`", "*bold*", "_it_", "__x__", "~no~", "> quote", ":fire:", ":100:", "::a::",
	"\x1b[31mred\x1b[0m", "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", "\x00\x07", "\xff\xfe", "\u202egnp", "a\r\nb", "&lt;!here&gt;", "&amp;",
	"db_dis", "<!date^1^{time}|x>", "🔴", "\"quoted\\\"", strings.Repeat("x", 400), strings.Repeat("<", 400), "\n\n\n", " ", "",
}

func texts() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(hostile), rapid.String()), 0, 6).Draw(t, "parts")
		return strings.Repeat(strings.Join(parts, rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "between")), rapid.SampledFrom([]int{1, 1, 1, 40}).Draw(t, "times"))
	})
}

func spans() *rapid.Generator[card.Span] {
	return rapid.Custom(func(t *rapid.T) card.Span {
		return card.Span{
			Kind:    card.SpanKind(rapid.IntRange(0, 6).Draw(t, "kind")),
			Text:    texts().Draw(t, "text"),
			Account: auth.Account{Team: rapid.SampledFrom([]string{"T0HOME", auth.LocalTeam, ""}).Draw(t, "team"), User: rapid.SampledFrom([]string{"U0ANNA", "", "u>x", "U0|x"}).Draw(t, "user")},
			At:      time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "at"), 0),
			Clock:   rapid.Bool().Draw(t, "clock"),
			URL:     rapid.SampledFrom([]string{"", permalink, "javascript:alert(1)", "https://x.example/>|<!channel>", "https://u:p@x.example/", "not a URL"}).Draw(t, "url"),
		}
	})
}

func lineOf() *rapid.Generator[card.Line] {
	return rapid.Custom(func(t *rapid.T) card.Line { return rapid.SliceOfN(spans(), 0, 5).Draw(t, "line") })
}

func cards() *rapid.Generator[card.Card] {
	element := rapid.Custom(func(t *rapid.T) card.Element {
		switch rapid.IntRange(0, 2).Draw(t, "element") {
		case 0:
			return card.Text{Lines: rapid.SliceOfN(lineOf(), 0, 4).Draw(t, "lines")}
		case 1:
			return card.Pre{Text: texts().Draw(t, "pre")}
		default:
			return card.Table{
				Header: rapid.SliceOfN(texts(), 0, 3).Draw(t, "header"),
				Rows:   rapid.SliceOfN(rapid.SliceOfN(lineOf(), 0, 3), 0, 4).Draw(t, "rows"),
			}
		}
	})
	button := rapid.Custom(func(t *rapid.T) card.Button {
		b := card.Button{
			Action: rapid.SampledFrom([]string{"approve", "approve", "deny", "", strings.Repeat("a", 300)}).Draw(t, "action"),
			Label:  texts().Draw(t, "label"), Value: texts().Draw(t, "value"),
			Style: card.Style(rapid.IntRange(0, 3).Draw(t, "style")),
		}
		if rapid.Bool().Draw(t, "confirms") {
			b.Confirm = &card.Confirm{Title: texts().Draw(t, "ct"), Text: texts().Draw(t, "cx"), Yes: texts().Draw(t, "cy"), No: texts().Draw(t, "cn")}
		}
		return b
	})
	return rapid.Custom(func(t *rapid.T) card.Card {
		return card.Card{
			Push: texts().Draw(t, "push"), Head: lineOf().Draw(t, "head"),
			Body:    rapid.SliceOfN(element, 0, rapid.SampledFrom([]int{3, 60}).Draw(t, "most")).Draw(t, "body"),
			Buttons: rapid.SliceOfN(button, 0, rapid.SampledFrom([]int{3, 40}).Draw(t, "buttons most")).Draw(t, "buttons"),
			Foot:    rapid.SliceOfN(lineOf(), 0, 4).Draw(t, "foot"),
		}
	})
}

// No card, however long or hostile, renders to blocks that exceed Slack's
// limits, or to active tokens other than the renderer's own.
func TestAnyCardIsWithinLimitsAndInert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := cards().Draw(t, "card")
		checkMessage(t, homeRenderer.Message(c))
		checkMessage(t, homeRenderer.Bare(c))
	})
}

func TestHugeCardIsCutWithANote(t *testing.T) {
	line := card.Line{card.T(strings.Repeat("<&>", 500)), card.C("x"), card.P("anna", auth.Account{Team: "T0HOME", User: "U0ANNA"})}
	c := card.Card{Push: strings.Repeat("p", 10_000), Head: line}
	for range 200 {
		c.Body = append(c.Body, card.Text{Lines: []card.Line{line, line}}, card.Pre{Text: strings.Repeat("line\n", 3000)}, card.Table{Rows: [][]card.Line{{line, line}}})
		c.Buttons = append(c.Buttons, card.Button{Action: "go", Label: strings.Repeat("l", 200), Value: strings.Repeat("v", 1999)})
		c.Foot = append(c.Foot, line)
	}
	m := homeRenderer.Message(c)
	checkMessage(t, m)
	if s := encode(t, m.Blocks); !strings.Contains(s, "shortened to fit") || !strings.Contains(s, `"go"`) {
		t.Errorf("the note or every button is missing:\n%s", s)
	}
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

func encode(t failer, blocks []slack.Block) string {
	t.Helper()
	b, err := json.Marshal(blocks)
	if err != nil {
		t.Fatalf("blocks do not encode: %v", err)
	}
	return string(b)
}

func checkMessage(t failer, m blockkit.Message) {
	t.Helper()
	if n := utf8.RuneCountInString(m.Text); n == 0 && len(m.Blocks) > 0 || n > blockkit.MaxBareText || len(m.Blocks) > 0 && n > blockkit.MaxText {
		t.Fatalf("top-level text has %d runes", n)
	}
	checkInert(t, m.Text)
	if len(m.Blocks) > 50 {
		t.Fatalf("%d blocks", len(m.Blocks))
	}
	if s := encode(t, m.Blocks); len(s) > 12_000 {
		t.Fatalf("blocks take %d bytes", len(s))
	}
	for _, b := range m.Blocks {
		switch b := b.(type) {
		case *slack.RichTextBlock:
			if len(b.Elements) == 0 {
				t.Fatalf("an empty rich_text block")
			}
			for _, e := range b.Elements {
				checkRich(t, e)
			}
		case *slack.ContextBlock:
			checkContext(t, b)
		case *slack.ActionBlock:
			checkActions(t, b)
		default:
			t.Fatalf("a block of type %T", b)
		}
	}
}

func checkRich(t failer, e slack.RichTextElement) {
	t.Helper()
	var inner []slack.RichTextSectionElement
	switch e := e.(type) {
	case *slack.RichTextSection:
		inner = e.Elements
	case *slack.RichTextPreformatted:
		inner = e.Elements
	case *slack.RichTextList:
		for _, x := range e.Elements {
			checkRich(t, x)
		}
		if len(e.Elements) == 0 {
			t.Fatalf("an empty list")
		}
		return
	default:
		t.Fatalf("rich text of type %T", e)
	}
	if len(inner) == 0 {
		t.Fatalf("an empty %T", e)
	}
	for _, x := range inner {
		switch x := x.(type) {
		case *slack.RichTextSectionTextElement:
			if x.Text == "" || strings.ContainsFunc(x.Text, control) || !utf8.ValidString(x.Text) {
				t.Fatalf("text element %q", x.Text)
			}
		case *slack.RichTextSectionUserElement:
			if x.UserID != "U0ANNA" {
				t.Fatalf("a mention of %q", x.UserID)
			}
		case *slack.RichTextSectionDateElement:
			if x.Timestamp <= 0 || x.Fallback == nil || *x.Fallback == "" {
				t.Fatalf("date element %+v", x)
			}
		case *slack.RichTextSectionLinkElement:
			if x.URL != permalink || x.Text == "" || strings.ContainsFunc(x.Text, control) {
				t.Fatalf("link element %+v", x)
			}
		default:
			t.Fatalf("a live element of type %T", x)
		}
	}
}

func control(r rune) bool { return r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 }

func checkContext(t failer, b *slack.ContextBlock) {
	t.Helper()
	if n := len(b.ContextElements.Elements); n == 0 || n > 10 {
		t.Fatalf("%d context elements", n)
	}
	for _, e := range b.ContextElements.Elements {
		x, ok := e.(*slack.TextBlockObject)
		if !ok || x.Text == "" || utf8.RuneCountInString(x.Text) > 3000 {
			t.Fatalf("context element %T %v", e, e)
		}
		if x.Type == slack.MarkdownType {
			if !x.Verbatim {
				t.Fatalf("mrkdwn that is not verbatim: %q", x.Text)
			}
			checkInert(t, ours.ReplaceAllString(x.Text, ""))
		}
	}
}

func checkActions(t failer, b *slack.ActionBlock) {
	t.Helper()
	ids := map[string]bool{}
	if n := len(b.Elements.ElementSet); n == 0 || n > 25 {
		t.Fatalf("%d buttons", n)
	}
	for _, e := range b.Elements.ElementSet {
		x := e.(*slack.ButtonBlockElement)
		if ids[x.ActionID] || x.ActionID == "" || len(x.ActionID) > 255 || len(x.Value) > 2000 {
			t.Fatalf("button %q of %d bytes is a twin or too long", x.ActionID, len(x.Value))
		}
		ids[x.ActionID] = true
		short := map[*slack.TextBlockObject]int{x.Text: 75}
		if x.Confirm != nil {
			short[x.Confirm.Title], short[x.Confirm.Text], short[x.Confirm.Confirm], short[x.Confirm.Deny] = 100, 300, 30, 30
		}
		for text, limit := range short {
			if n := utf8.RuneCountInString(text.Text); text.Type != slack.PlainTextType || n == 0 || n > limit {
				t.Fatalf("button text %+v", text)
			}
		}
	}
}

// permalink is the one URL of the samples that may become a link.
const permalink = "https://slack.example/archives/C1/p1?a=1&b=2"

// ours matches the active tokens that the renderer itself makes.
var ours = regexp.MustCompile(`<@U0ANNA>|<!date\^\d+\^[a-z_{} ]+\|[-0-9: A-Z]+>|<https://slack\.example/archives/C1/p1\?a=1&amp;b=2\|[^<>\n]+>`)

// live matches text to which Slack would give a meaning in mrkdwn.
var live = regexp.MustCompile("[<>*~`]" + `|@[a-zA-Z]|://|#[a-zA-Z]|:[a-zA-Z0-9_+'-]+:|(?m:^\s*&gt;)|(^|[^\pL\pN_])_|_($|[^\pL\pN_])|&(?:[^alg]|$)`)

func checkInert(t failer, text string) {
	t.Helper()
	if m := live.FindString(text); m != "" || strings.ContainsFunc(text, control) || !utf8.ValidString(text) {
		t.Fatalf("%q is live in %q", m, text)
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"db_dis is up":       "db_dis is up",
		"@everyone look":     "@" + blockkit.Joiner + "everyone look",
		"<!channel>":         "&lt;!channel&gt;",
		"a & b":              "a &amp; b",
		"*bold* _it_ `code`": "∗bold∗ ＿it＿ ˋcodeˋ",
		"see https://x.y":    "see https:" + blockkit.Joiner + "//x.y",
		":fire: at 14:07":    ":" + blockkit.Joiner + "fire: at 14:07",
		"> no quote":         blockkit.Joiner + "&gt; no quote",
	} {
		if got := blockkit.Escape(in); got != want {
			t.Errorf("escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestEscapeToTearsNothingApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 60).Draw(t, "limit")
		got := blockkit.EscapeTo(texts().Draw(t, "text"), limit)
		if n := utf8.RuneCountInString(got); n > limit {
			t.Fatalf("%d runes, limit %d", n, limit)
		}
		checkInert(t, got)
	})
}

func TestMeterNeverExceeds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		room := rapid.IntRange(0, 500).Draw(t, "room")
		m := &blockkit.Meter{Left: room}
		s := blockkit.Clean(texts().Draw(t, "text"))
		got := m.Text(s, 10)
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if size := len(b) - 2; got != "" && (size+10 > room || m.Left > room-size-10) {
			t.Fatalf("%d bytes within a limit of %d, %d left", size, room, m.Left)
		}
		if got != s && !m.Cut {
			t.Fatalf("%q became %q, but Cut is false", s, got)
		}
	})
}

func TestPreKeepsHeadAndTail(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	s := encode(t, homeRenderer.Message(card.Card{Push: "p", Head: card.Line{card.T("h")}, Body: []card.Element{card.Pre{Text: b.String()}}}).Blocks)
	for _, want := range []string{`line 0\n`, "line 4999", "lines left out", "shortened to fit"} {
		if !strings.Contains(s, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestWhatIsLeftOutIsSaid(t *testing.T) {
	c := card.Card{Push: "p", Head: card.Line{card.T("h")}}
	for range blockkit.MaxBody + 1 {
		c.Body = append(c.Body, card.Text{Lines: []card.Line{{card.T("x")}}})
	}
	if s := encode(t, homeRenderer.Message(c).Blocks); !strings.Contains(s, "shortened to fit") {
		t.Error("a paragraph is missing without a note")
	}
	c.Body = c.Body[:blockkit.MaxBody]
	if s := encode(t, homeRenderer.Message(c).Blocks); strings.Contains(s, "shortened") {
		t.Error("nothing is missing, but there is a note")
	}
}

func TestFormKeepsWhatComesBackWhole(t *testing.T) {
	f := card.Form{Action: "deny", Value: "R-7F3K 7f3a9c", Title: strings.Repeat("long ", 10), Submit: "Deny",
		Inputs: []card.Input{{Name: "reason", Label: "Why?", Multiline: true}}}
	v, err := homeRenderer.Form(f, "C0X", "1.2")
	if err != nil {
		t.Fatal(err)
	}
	if n := utf8.RuneCountInString(v.Title.Text); n > 24 {
		t.Errorf("the title has %d runes", n)
	}
	var o blockkit.FormOrigin
	if err := json.Unmarshal([]byte(v.PrivateMetadata), &o); err != nil || o != (blockkit.FormOrigin{Action: "deny", Value: "R-7F3K 7f3a9c", Channel: "C0X", Thread: "1.2"}) {
		t.Errorf("metadata %q: %+v, %v", v.PrivateMetadata, o, err)
	}
	f.Value = strings.Repeat("v", 4000)
	if _, err := homeRenderer.Form(f, "C0X", ""); err == nil {
		t.Error("a value that does not fit was accepted")
	}
}
