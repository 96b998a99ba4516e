package parser

import (
	"regexp"
	"slices"
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/meaning"
	"dhbot/internal/command/words"
)

// incidentID is the form of an incident's id: its cluster and a number.
var incidentID = regexp.MustCompile(`^(.+)-([1-9][0-9]{0,8})$`)

// incident reads an incident's id, which may be missing. The verb decides what the rest is: a
// person, a duration or a text.
func (r *reading) incident(cmd command.Command, w []words.Token) (*command.Request, error) {
	for len(w) > 0 && (w[0].IsMark() || slices.Contains(articles, w[0].Key) || w[0].Key == "incident") {
		w = w[1:]
	}
	req := &command.Request{Command: cmd, Params: map[string]string{}}
	if len(w) > 0 {
		id := strings.Trim(w[0].Key, "`*_.,;:#()")
		m := incidentID.FindStringSubmatch(id)
		// A note or a person's name may look like an id. For other verbs, such a word is
		// always an id.
		if m != nil && (r.g.KnowsCluster(m[1]) || cmd.Verb != "note" && cmd.Verb != "handover") {
			req.Incident, w = id, w[1:]
		}
	}
	if err := r.anyCluster(req); err != nil {
		return nil, err
	}
	if !cmd.Class.Changing() {
		for _, t := range w {
			if !t.IsMark() && !t.IsCourtesy() {
				req.Left = append(req.Left, t.Raw)
			}
		}
		return req, nil
	}
	for len(w) > 0 && w[0].IsMark() {
		w = w[1:]
	}
	if err := r.aboutIncident(req, w); err != nil {
		return nil, err
	}
	req.Reason = words.Rest(r.text, unmark(w))
	if cmd.Verb == "mute" { // "for 30 min" is "30m"
		for len(w) > 0 && w[0].Key == "for" {
			w = w[1:]
		}
		if n := words.LengthAt(w); n > 0 && n == len(w) {
			req.Reason = words.LengthOf(w)
		}
	}
	return req, nil
}

// aboutIncident returns a Question if the command is in a quote or a block of code, or if the words
// negate it or add a time or a condition. A note is exempt, because its text is free. For mute it
// does not check the words.
func (r *reading) aboutIncident(req *command.Request, w []words.Token) error {
	back := func(code command.Code, text string) error {
		q := &command.Question{Code: code, Text: text}
		f := command.Fields{Verb: "incidents", Incident: req.Incident}
		q.Add(command.Choice{Text: f.Text(), Fields: f})
		return q
	}
	switch {
	case req.Command.Verb == "note":
		return nil
	case r.quote:
		return back(command.Quote, "I run nothing that is in a quote or a block of code.")
	case len(w) == 0, req.Command.Verb == "mute":
		return nil
	}
	if code := meaning.Of(r.g, w); code == command.Negation || code == command.When || code == command.Condition {
		return back(code, meaning.Text(code, words.Join(w)))
	}
	return nil
}
