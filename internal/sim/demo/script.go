package demo

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// LineKind is the kind of a line of a script.
type LineKind string

// These are all kinds of lines. Say, Click, Approve and Deny are actions of a person. Together
// with Fault, Channel and Host they are the action lines. Expect and Refute search only what was
// shown since the last action line.
const (
	Say     LineKind = "say"
	Click   LineKind = "click"
	Approve LineKind = "approve"
	Deny    LineKind = "deny"
	Fault   LineKind = "fault"
	Channel LineKind = "channel"
	Host    LineKind = "host"
	Pause   LineKind = "wait"
	Expect  LineKind = "expect"
	Refute  LineKind = "refute"
	Verify  LineKind = "verify"
)

// Line is one line of a script. Empty lines and comments are left out.
type Line struct {
	N       int // line number, from 1
	Source  string
	Kind    LineKind
	Who     string
	Channel string
	Text    string
	Args    []string
	For     time.Duration
}

// Defaults of the script language.
const (
	DefaultChannel = "incident"
	DefaultExpect  = time.Minute
)

var (
	speaker = regexp.MustCompile(`^([A-Za-z0-9_-]+)(?:@([A-Za-z0-9_-]+))?:\s*(.*)$`)
	aRun    = regexp.MustCompile(`(?i)^R-[0-9A-Z]{4,8}\b`)
)

// ParseScript reads a script and reports every line that it cannot
// parse, with its number.
//
//	NAME[@CHANNEL]: TEXT       a slash command, or a mention if TEXT starts with @
//	NAME[@CHANNEL]: click LABEL
//	NAME[@CHANNEL]: approve    taps Approve on the newest open card, confirms, types the target if asked
//	NAME[@CHANNEL]: deny REASON
//	fault KIND [KEY=VALUE…]    a fault of the local Slack
//	channel NAME KEY=VALUE…    changes a channel: is_archived, restricted, is_ext_shared, without_bot
//	host HOST PROCESS FAULT    a fault of a simulated host; PROCESS "-" for the host itself
//	wait DURATION
//	expect [DURATION] TEXT     within DefaultExpect by default: posted, edited or shown to that
//	                           NAME in that channel since the last action; ONE .. OTHER: both on
//	                           one line
//	refute DURATION TEXT
//	verify audit
//	# comment
func ParseScript(r io.Reader) ([]Line, error) {
	var lines []Line
	var bad []string
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		text := strings.TrimSpace(sc.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		l, err := parseLine(text)
		if err != nil {
			bad = append(bad, fmt.Sprintf("line %d: %v", n, err))
			continue
		}
		l.N, l.Source = n, text
		lines = append(lines, l)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("script: %w", err)
	}
	if len(bad) > 0 {
		return nil, fmt.Errorf("script: %s", strings.Join(bad, "\n"))
	}
	return lines, nil
}

func parseLine(text string) (Line, error) {
	verb, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	switch verb {
	case "fault":
		f := strings.Fields(rest)
		if len(f) == 0 {
			return Line{}, fmt.Errorf("fault needs a kind")
		}
		return Line{Kind: Fault, Args: f}, nil
	case "channel":
		f := strings.Fields(rest)
		if len(f) < 2 {
			return Line{}, fmt.Errorf("channel needs NAME KEY=VALUE")
		}
		return Line{Kind: Channel, Args: f}, nil
	case "host":
		f := strings.Fields(rest)
		if len(f) < 3 {
			return Line{}, fmt.Errorf("host needs HOST PROCESS FAULT; PROCESS is - for the host itself")
		}
		return Line{Kind: Host, Args: f}, nil
	case "wait":
		d, err := time.ParseDuration(rest)
		return Line{Kind: Pause, For: d}, err
	case "expect":
		return timed(Expect, rest, DefaultExpect)
	case "refute":
		l, err := timed(Refute, rest, 0)
		if err == nil && l.For == 0 {
			err = fmt.Errorf("refute needs a duration first")
		}
		return l, err
	case "verify":
		if rest != "audit" {
			return Line{}, fmt.Errorf("after verify only audit is possible")
		}
		return Line{Kind: Verify}, nil
	}
	return said(text)
}

// timed parses `[DURATION] TEXT`.
func timed(kind LineKind, rest string, def time.Duration) (Line, error) {
	first, more, _ := strings.Cut(rest, " ")
	if d, err := time.ParseDuration(first); err == nil {
		rest, def = strings.TrimSpace(more), d
	}
	if rest == "" {
		return Line{}, fmt.Errorf("%s needs a text", kind)
	}
	return Line{Kind: kind, Text: rest, For: def}, nil
}

// said parses a line that says what a person does.
func said(text string) (Line, error) {
	m := speaker.FindStringSubmatch(text)
	if m == nil || m[3] == "" {
		return Line{}, fmt.Errorf("not understood: %q", text)
	}
	l := Line{Kind: Say, Who: m[1], Channel: m[2], Text: m[3]}
	if l.Channel == "" {
		l.Channel = DefaultChannel
	}
	verb, rest, _ := strings.Cut(m[3], " ")
	rest = strings.TrimSpace(rest)
	switch {
	case verb == "click" && rest != "":
		l.Kind, l.Text = Click, rest
	case verb == "approve" && rest == "":
		l.Kind, l.Text = Approve, ""
	case verb == "deny" && rest != "" && !aRun.MatchString(rest):
		l.Kind, l.Text = Deny, rest
	}
	return l, nil
}
