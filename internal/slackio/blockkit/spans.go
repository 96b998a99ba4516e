package blockkit

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"dhbot/auth"
	"dhbot/internal/card"
)

// Upper bounds of an element's size as JSON, without its text.
const (
	textCost = 70
	dateCost = 160
	userCost = 60
	linkCost = 80
)

var (
	userID  = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)
	groupID = regexp.MustCompile(`^S[A-Z0-9]{2,20}$`)
)

// section renders lines as a paragraph. It returns nil if the paragraph is empty.
func (r Renderer) section(lines []card.Line, m *Meter) *slack.RichTextSection {
	var out []slack.RichTextSectionElement
	for i, l := range lines {
		if i > 0 && len(out) > 0 {
			if !m.take(textCost) {
				break
			}
			out = append(out, slack.NewRichTextSectionTextElement("\n", nil))
		}
		for _, s := range l {
			if e := r.span(s, m); e != nil {
				out = append(out, e)
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return slack.NewRichTextSection(out...)
}

// span renders one rich text element. It returns nil if the element is empty or does not fit.
func (r Renderer) span(s card.Span, m *Meter) slack.RichTextSectionElement {
	switch {
	case s.Kind == card.Who && Mentionable(s.Account):
		if !m.take(userCost) {
			return nil
		}
		return slack.NewRichTextSectionUserElement(s.Account.User, nil)
	case s.Kind == card.Group && groupID.MatchString(s.Text):
		if !m.take(userCost) {
			return nil
		}
		return slack.NewRichTextSectionUserGroupElement(s.Text)
	case s.Kind == card.When && datable(s.At):
		if !m.take(dateCost) {
			return nil
		}
		fallback := card.Moment(s.At, s.Clock)
		return slack.NewRichTextSectionDateElement(s.At.Unix(), dateFormat(s.Clock), nil, &fallback)
	case s.Kind == card.Link && linkable(s.URL):
		text := m.Text(linkText(s.Text), linkCost+JsonLen(s.URL))
		if text == "" {
			return nil
		}
		return slack.NewRichTextSectionLinkElement(s.URL, text, nil)
	}
	text := card.PlainSpan(s)
	if text = Clean(text); text == "" {
		return nil
	}
	if text = m.Text(text, textCost); text == "" {
		return nil
	}
	return slack.NewRichTextSectionTextElement(text, style(s.Kind))
}

func style(k card.SpanKind) *slack.RichTextSectionTextStyle {
	switch k {
	case card.Strong:
		return &slack.RichTextSectionTextStyle{Bold: true}
	case card.Mono:
		return &slack.RichTextSectionTextStyle{Code: true}
	default:
		return nil
	}
}

// mrkdwn renders a span as escaped mrkdwn. Slack only interprets the mention of a Who or a
// Group, the date of a When, and the address of a Link.
func (r Renderer) mrkdwn(s card.Span) string {
	switch {
	case s.Kind == card.Who && Mentionable(s.Account):
		return "<@" + s.Account.User + ">"
	case s.Kind == card.Group && groupID.MatchString(s.Text):
		return "<!subteam^" + s.Text + ">"
	case s.Kind == card.When && datable(s.At):
		return fmt.Sprintf("<!date^%d^%s|%s>", s.At.Unix(), dateFormat(s.Clock), card.Moment(s.At, s.Clock))
	case s.Kind == card.Link && linkable(s.URL):
		return "<" + strings.ReplaceAll(s.URL, "&", "&amp;") + "|" + escapeClean(linkText(s.Text)) + ">"
	default:
		return Escape(card.PlainSpan(s))
	}
}

// Mentionable reports whether an account can be mentioned by its id. A terminal account
// (auth.LocalTeam) cannot. Otherwise the account's team does not matter, because events of an
// Enterprise Grid may name any of its teams.
func Mentionable(a auth.Account) bool {
	return a.Team != auth.LocalTeam && userID.MatchString(a.User)
}

// linkable reports whether a URL may be a link in a message. It must be a web page, and have no
// characters that could end the link early.
func linkable(link string) bool {
	u, err := url.Parse(link)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && len(link) <= maxURL &&
		!strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("<>|\"`", r) })
}

// linkText returns the visible text of a link, as one line that is never empty.
func linkText(s string) string {
	if s = strings.Join(strings.Fields(Clean(s)), " "); s == "" {
		return "link"
	}
	return s
}

// datable reports whether Slack can show a time in the reader's zone. Slack shows no time before
// 1970.
func datable(t time.Time) bool { return t.Unix() > 0 && t.Year() < 10_000 }

func dateFormat(clock bool) string {
	if clock {
		return "{time}"
	}
	return "{date_short_pretty} {time}"
}

func lastRune(s string) (rune, int) { return utf8.DecodeLastRuneInString(s) }
