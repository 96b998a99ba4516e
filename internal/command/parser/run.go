package parser

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"dhbot/internal/command"
	"dhbot/internal/command/meaning"
	"dhbot/internal/command/words"
)

var (
	bareID = regexp.MustCompile(`(?i)^[0-9A-Z]{4}$`)
	almost = regexp.MustCompile(`(?i)^R[-_][0-9A-Z]*$`)
)

// run reads a run's id, such as `R-7F3K`. Without an id, noRun handles the command, and no run is
// changed.
func (r *reading) run(cmd command.Command, rest []words.Token) (*command.Request, error) {
	id, took := words.RunAt(rest)
	if took == 0 {
		return r.noRun(cmd, rest)
	}
	req := &command.Request{Command: cmd, Run: id, Params: map[string]string{}}
	if err := r.anyCluster(req); err != nil {
		return nil, err
	}
	return req, r.aboutRun(req, rest[took:])
}

// aboutRun reads the words after a run's id. A read does not use them, and Request.Left lists them.
// For an approval, the first word is the target, and further words are refused. For other verbs,
// the words are the reason. It returns a Question if they change the meaning of the command.
func (r *reading) aboutRun(req *command.Request, w []words.Token) error {
	for len(w) > 0 && w[0].IsMark() {
		w = w[1:]
	}
	cmd := req.Command
	if !cmd.Class.Changing() {
		for _, t := range w {
			req.Left = append(req.Left, t.Raw)
		}
		return nil
	}
	if cmd.Verb == "continue" && len(w) > 0 && w[0].Key == "anyway=yes" {
		req.Anyway, w = true, w[1:]
	}
	if r.quote {
		return r.aboutRunBack(req, command.Quote, "I run nothing that is in a quote or a block of code.")
	}
	for _, t := range w {
		if cmd.Verb != "deny" && cmd.Verb != "close" && dashed.MatchString(t.Raw) {
			return r.aboutRunBack(req, command.Flag, fmt.Sprintf("`%s` takes no %s.", cmd.Verb, words.Shown(t.Raw)))
		}
	}
	after := w
	if cmd.Verb == "approve" && len(w) > 0 {
		req.Reason, after = w[0].Name(), w[1:]
	}
	if err := r.turnsRound(req, after); err != nil {
		return err
	}
	if cmd.Verb != "approve" {
		req.Reason = words.Rest(r.text, unmark(w))
	}
	return nil
}

// unmark removes a leading word such as "because". After a run's id the reason needs no mark.
func unmark(w []words.Token) []words.Token {
	if len(w) > 1 && w[0].MarksReason() {
		return w[1:]
	}
	return w
}

// turnsRound returns a Question if the words after a run's id change the meaning of the command.
func (r *reading) turnsRound(req *command.Request, w []words.Token) error {
	w = words.WithoutClosing(w)
	if len(w) == 0 {
		return nil
	}
	code := meaning.Of(r.g, w)
	switch req.Command.Verb {
	case "deny": // denying a request is always safe
		return nil
	case "close": // a finding may begin with "not restarted"
		if code != command.Negation && code != command.When || len(w) > 3 {
			return nil
		}
	case "approve":
		if code == "" {
			code = command.StrayTarget
		}
	default:
	}
	if code == "" {
		return nil
	}
	return r.aboutRunBack(req, code, meaning.Text(code, words.Join(w)))
}

func (r *reading) aboutRunBack(req *command.Request, code command.Code, text string) *command.Question {
	q := &command.Question{Code: code, Text: text}
	q.Add(command.Choice{Text: "show " + req.Run, Fields: command.Fields{Verb: "show", Run: req.Run}})
	return q
}

// shown reads a command that follows a verb such as "show", as in "show me the logs of db_dis". A
// name after "show" is read as a request for its status. The last result is false if what follows
// is not a command about a target, or if one of the two commands changes something.
func (r *reading) shown(cmd command.Command, w []words.Token) (command.Command, []words.Token, bool) {
	for len(w) > 1 && (w[0].IsCourtesy() || words.OneOf(w[0].Key, "me", "us", "the", "all")) {
		w = w[1:]
	}
	if cmd.Verb == "show" && r.g.Knows(strings.TrimRight(w[0].Name(), words.Punctuation)) { // "show me dis"
		status, ok := r.g.Named("status")
		return status, w, ok
	}
	c, ok := r.g.Named(w[0].Key)
	aboutTarget := c.Object == command.AnyTarget || c.Object == command.ProcessNamed
	return c, w[1:], ok && aboutTarget && !cmd.Class.Changing() && !c.Class.Changing()
}

// noRun handles a command that lacks its run id. It returns a Request that lists the open runs, the
// Request of a command that follows the verb "show", or a Question with suggestions.
func (r *reading) noRun(cmd command.Command, w []words.Token) (*command.Request, error) {
	if len(w) == 0 {
		return r.bareRun(cmd, w)
	}
	if c, rest, ok := r.shown(cmd, w); ok {
		return r.read(c, rest)
	}
	q := command.Questionf(command.UnknownRun, "%s is not a run id; a run id looks like R-7F3K. For example `%s`.", words.Shown(w[0].Raw), cmd.Example)
	read, isVerb := r.g.Named(w[0].Key)
	switch {
	case bareID.MatchString(w[0].Raw) && strings.ContainsFunc(w[0].Raw, unicode.IsDigit):
		r.suggest(q, strings.TrimSpace(cmd.Verb+" R-"+strings.ToUpper(w[0].Raw)+" "+words.Tail(w[1:])))
	case isVerb && !cmd.Class.Changing() && !read.Class.Changing():
		r.suggest(q, strings.TrimSpace(read.Verb+" "+words.Tail(w[1:]))) // "show logs db_dis"
	case almost.MatchString(w[0].Raw):
	default:
		return r.bareRun(cmd, w)
	}
	return nil, q
}

func (r *reading) bareRun(cmd command.Command, w []words.Token) (*command.Request, error) {
	req := &command.Request{Command: cmd.WithoutObject(), Topic: words.Join(w), Params: map[string]string{}}
	return req, r.anyCluster(req)
}
