package blockkit

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"dhbot/internal/card"
)

// Message is a card in Slack's form: blocks, and the text for notifications and screen readers.
type Message struct {
	Text   string
	Blocks []slack.Block
}

// Renderer turns cards into Block Kit. Content is in rich_text and plain_text, which Slack does
// not parse. Only the footer is mrkdwn, because rich text has no small size. All content of the
// footer is escaped.
type Renderer struct{}

// Message renders a card within Slack's limits. Head, buttons and footer are sized first; the body
// gets the rest and is cut with a note.
func (r Renderer) Message(c card.Card) Message {
	m := &Meter{Left: MaxBlocksJSON}
	head := r.head(c.Head, m)
	buttons := r.buttons(c.Buttons, m)
	foot := r.foot(c.Foot, m)
	blocks := append(head, r.body(c.Body, m)...)
	if m.Cut {
		blocks = append(blocks, slack.NewContextBlock("", plain("… shortened to fit a message")))
	}
	blocks = append(append(blocks, buttons...), foot...)
	return Message{Text: pushText(c), Blocks: blocks}
}

// Bare renders a card without blocks, for when Slack has rejected its blocks.
func (r Renderer) Bare(c card.Card) Message {
	text := card.PlainText(c)
	if c.Push != "" && !strings.Contains(text, c.Push) {
		text = c.Push + "\n" + text
	}
	if len(c.Buttons) > 0 {
		text += "The buttons cannot be shown here: type the command instead.\n"
	}
	if text = EscapeTo(text, MaxBareText); strings.TrimSpace(text) == "" {
		text = pushText(c) // Slack accepts no message without text
	}
	return Message{Text: text}
}

// pushText returns the text of the notification. It is escaped, never empty, and short enough
// for Slack.
func pushText(c card.Card) string {
	s := strings.TrimSpace(c.Push)
	if s == "" {
		s = strings.TrimSpace(card.PlainLine(c.Head))
	}
	if s = strings.TrimSpace(EscapeTo(s, MaxText)); s == "" {
		return "A message without text"
	}
	return s
}

const (
	headRoom    = 1_500
	buttonsRoom = 5_000
	footRoom    = 2_500
	blockCost   = 60  // a block's own JSON around its elements
	noteCost    = 150 // the note about the cut
	MaxBody     = 40  // body blocks; a message has at most 50
)

func (r Renderer) head(l card.Line, m *Meter) []slack.Block {
	m.take(noteCost)
	p := m.part(headRoom)
	defer m.join(p, headRoom)
	if !p.take(blockCost) {
		return nil
	}
	if s := r.section([]card.Line{l}, p); s != nil {
		return []slack.Block{slack.NewRichTextBlock("", s)}
	}
	return nil
}

func (r Renderer) body(body []card.Element, m *Meter) []slack.Block {
	var blocks []slack.Block
	for i, e := range body {
		if i == MaxBody || !m.take(blockCost) {
			m.Cut = true
			break
		}
		if rich := r.element(e, m); len(rich) > 0 {
			blocks = append(blocks, slack.NewRichTextBlock("", rich...))
		}
	}
	return blocks
}

func (r Renderer) element(e card.Element, m *Meter) []slack.RichTextElement {
	switch e := e.(type) {
	case card.Text:
		if s := r.section(e.Lines, m); s != nil {
			return []slack.RichTextElement{s}
		}
		return nil
	case card.Pre:
		return preformatted(e.Text, m)
	case card.Table:
		return r.table(e, m)
	default:
		s := slack.NewRichTextSection(slack.NewRichTextSectionTextElement(fmt.Sprintf("(a %T cannot be shown)", e), nil))
		if !m.take(2 * blockCost) {
			return nil
		}
		return []slack.RichTextElement{s}
	}
}

// preformatted keeps the head and the tail of long output, which matter more than its middle.
func preformatted(s string, m *Meter) []slack.RichTextElement {
	s = strings.Trim(Clean(s), "\n")
	if s == "" || !m.take(2*blockCost) {
		return nil
	}
	if size := JsonLen(s); size > m.Left {
		s = middleOut(s, m.Left-blockCost)
		m.Cut = true
	}
	if s = m.Text(s, 0); s == "" {
		return nil
	}
	return []slack.RichTextElement{&slack.RichTextPreformatted{
		Type:     slack.RTEPreformatted,
		Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionTextElement(s, nil)},
	}}
}

// middleOut shortens s to size bytes of JSON: a quarter for the beginning of s, and the rest for
// the end of s. It cuts at line ends if possible.
func middleOut(s string, size int) string {
	head, tail := size/4, size-size/4
	i, n := 0, 0
	for j, r := range s {
		if n += jsonSize(r); n > head {
			i = j
			break
		}
	}
	k, n := len(s), 0
	for j := len(s); j > 0; {
		r, w := lastRune(s[:j])
		if n += jsonSize(r); n > tail {
			break
		}
		j -= w
		k = j
	}
	if i >= k {
		return s
	}
	if nl := strings.LastIndexByte(s[:i], '\n'); nl > 0 {
		i = nl
	}
	if nl := strings.IndexByte(s[k:], '\n'); nl >= 0 && nl < (len(s)-k)/2 {
		k += nl + 1
	}
	return s[:i] + "\n… " + fmt.Sprint(strings.Count(s[i:k], "\n")) + " lines left out …\n" + s[k:]
}

// table renders a table as a list with one line per row, because columns do not fit on a phone.
// The first cell is the row's name.
func (r Renderer) table(t card.Table, m *Meter) []slack.RichTextElement {
	var out []slack.RichTextElement
	if len(t.Header) > 0 && m.take(blockCost) {
		if s := r.section([]card.Line{{card.B(strings.Join(t.Header, " · "))}}, m); s != nil {
			out = append(out, s)
		}
	}
	if !m.take(2 * blockCost) {
		return out
	}
	var rows []slack.RichTextElement
	for _, row := range t.Rows {
		var line card.Line
		for i, cell := range row {
			switch {
			case len(cell) == 0:
				continue
			case i == 0:
				for _, s := range cell {
					if s.Kind == card.Plain {
						s.Kind = card.Strong
					}
					line = append(line, s)
				}
			default:
				line = append(append(line, card.T(" · ")), cell...)
			}
		}
		if !m.take(blockCost) {
			break
		}
		if s := r.section([]card.Line{line}, m); s != nil {
			rows = append(rows, s)
		}
	}
	if len(rows) == 0 {
		return out
	}
	return append(out, slack.NewRichTextList(slack.RTEListBullet, 0, rows...))
}

// foot renders the footer. It is the only part of a message in mrkdwn.
func (r Renderer) foot(lines []card.Line, m *Meter) []slack.Block {
	if len(lines) == 0 {
		return nil
	}
	p := m.part(footRoom)
	defer m.join(p, footRoom)
	if !p.take(2 * blockCost) {
		return nil
	}
	var b strings.Builder
	runes := 0
	for i, l := range lines {
		for j, s := range l {
			text := r.mrkdwn(s)
			switch {
			case i > 0 && j == 0:
				text = "\n" + text
			case strings.Contains(b.String(), ":") && strings.ContainsAny(text, ":/"):
				text = Joiner + text // so that two adjacent spans form no emoji and no link
			}
			n := len([]rune(text))
			if runes+n > maxContextText || !p.take(JsonLen(text)) {
				p.Cut = true
				return contextBlock(b.String())
			}
			runes += n
			b.WriteString(text)
		}
	}
	return contextBlock(b.String())
}

func contextBlock(text string) []slack.Block {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return []slack.Block{slack.NewContextBlock("", slack.NewTextBlockObject(slack.MarkdownType, text, false, true))}
}

func plain(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
}

// Page renders the cards of a Home tab. It shows each card whole, or leaves it out.
func (r Renderer) Page(cards []card.Card) []slack.Block {
	var out []slack.Block
	for i, c := range cards {
		blocks := r.Message(c).Blocks
		if len(out)+len(blocks)+2 > maxViewBlocks {
			return append(out, slack.NewContextBlock("", plain("… more does not fit on this page")))
		}
		if i > 0 {
			out = append(out, slack.NewDividerBlock())
		}
		out = append(out, blocks...)
	}
	return out
}
