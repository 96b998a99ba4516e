package reads

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/auth"
	"dhbot/handlers/call"
	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/card/outputcard"
	"dhbot/internal/card/trailcard"
	"dhbot/internal/command"
	"dhbot/internal/command/parser"
	"dhbot/internal/command/words"
	"dhbot/internal/redact"
	"dhbot/internal/suggest"
)

// Default periods of `audit` and `timeline`, and the maximum period of both.
const (
	auditBack    = 24 * time.Hour
	timelineBack = 4 * time.Hour
	mostBack     = 31 * 24 * time.Hour
)

// maxEntries is the maximum number of entries that an answer shows. If there are more, the oldest
// entries are left out.
const maxEntries = 5_000

// trailQuery selects entries of the trail.
type trailQuery struct {
	what    string // for display: "db_dis", "R-7F3K", "everything"
	run     string
	process string
	person  *auth.Person
	cluster string // "" for every cluster that the reader may read
	since   time.Time
}

// AuditTrail shows the audit trail of a person, a process or a run: the newest entries in the card,
// and, if the card leaves some out, at most maxEntries in a file.
func (s *Reads) AuditTrail(ctx context.Context, c *call.Call) error {
	q, entries, left, err := s.readTrail(ctx, c, auditBack)
	if err != nil {
		return err
	}
	out, whole := trailcard.Audit(q.what, q.since, entries, left)
	var files []outputcard.File
	if !whole {
		var b bytes.Buffer
		if err := audit.WriteTable(&b, seq(entries)); err != nil {
			return err
		}
		files = append(files, outputcard.File{Name: "audit.txt", Title: "Audit · " + q.what, Content: []byte(redact.Clean(b.String()))})
	}
	return s.tellTrail(ctx, c, q, out, files)
}

// Timeline shows the timeline of an incident, made from the audit trail.
func (s *Reads) Timeline(ctx context.Context, c *call.Call) error {
	q, entries, left, err := s.readTrail(ctx, c, timelineBack)
	if err != nil {
		return err
	}
	out, story := trailcard.Timeline(q.what, q.since, s.Now(), entries, left)
	var files []outputcard.File
	if story != "" {
		files = append(files, outputcard.File{Name: "timeline.txt", Title: "Timeline · " + q.what, Content: []byte(story)})
	}
	return s.tellTrail(ctx, c, q, out, files)
}

// tellTrail records that the trail was read, and shows the result. If outsiders can read the
// channel, only the requester sees the result.
func (s *Reads) tellTrail(ctx context.Context, c *call.Call, q trailQuery, out card.Card, files []outputcard.File) error {
	r := audit.Record{
		At: s.Now(), Kind: audit.ReadDone, Person: c.Who.Name, Account: c.Account.String(), Via: string(c.Via),
		Cluster: q.cluster, Action: c.Cmd.Verb, Target: q.what,
	}
	if err := s.Append(ctx, c.Message, r); err != nil {
		s.Logger.WarnContext(ctx, "read not recorded", "err", err)
	} else {
		c.Settled = true
	}
	if c.ChannelShared {
		return c.Reply.Direct(ctx, out, files...)
	}
	if err := c.Reply.Show(ctx, c.Signed(out)); err != nil {
		return err
	}
	for _, f := range files {
		if err := c.Reply.Attach(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// readTrail returns the entries for a call, oldest first. The result older is the number of
// older entries that were left out.
func (s *Reads) readTrail(
	ctx context.Context,
	c *call.Call,
	back time.Duration,
) (q trailQuery, entries []audit.Sealed, older int, err error) {
	if q, err = s.trailQuery(c, back); err != nil {
		return q, nil, 0, err
	}
	if q.run != "" {
		st, err := s.Runs.Get(ctx, q.run)
		if err == nil && s.Sees(c.Who.Person, c.Channel)(st.Run.Plan.Cluster) && st.Run.RequestedAt.Before(q.since) &&
			s.Now().Sub(st.Run.RequestedAt) < mostBack {
			q.since = st.Run.RequestedAt
		}
	}
	maySee := s.maySee(c)
	found := audit.Query{Since: q.since, Newest: maxEntries, Wants: func(b audit.Brief) bool {
		b.Person = s.personOf(b)
		return q.wants(b) && maySee(b)
	}}
	older, err = s.Log.Find(ctx, found, func(e audit.Sealed) error {
		e.Record.Person = s.personOf(e.Record.Brief())
		entries = append(entries, e)
		return nil
	})
	return q, entries, older, err
}

// personOf returns the person of a record, or "" if unknown. A refusal is recorded with the
// account only, so personOf looks for the person who has this account.
func (s *Reads) personOf(r audit.Brief) string {
	if r.Person != "" {
		return r.Person
	}
	for _, p := range s.Rules.People {
		if p.Named(r.Account) {
			return p.Name
		}
	}
	return ""
}

// maySee returns a filter for the records that a reader may see. A record without a
// cluster can contain any name. Such a record is shown only to its author and to readers
// of every cluster. The bot's notes about itself are shown to everyone.
func (s *Reads) maySee(c *call.Call) func(audit.Brief) bool {
	sees := s.Sees(c.Who.Person, c.Channel)
	all := !slices.ContainsFunc(s.ClusterNames(), func(cluster string) bool { return !sees(cluster) })
	return func(r audit.Brief) bool {
		if r.Cluster != "" {
			return sees(r.Cluster)
		}
		return all || r.Person == c.Who.Name || r.Kind == audit.Note
	}
}

func (q trailQuery) wants(r audit.Brief) bool {
	switch {
	case q.cluster != "" && r.Cluster != "" && r.Cluster != q.cluster:
		return false
	case q.run != "":
		return r.Run == q.run
	case q.person != nil:
		return r.Person == q.person.Name
	case q.process != "":
		return mentions(r.Target, q.process)
	default:
		return true
	}
}

// mentions reports whether a text contains a name as a whole word.
func mentions(text, name string) bool {
	return slices.Contains(strings.FieldsFunc(text, func(r rune) bool {
		return !(r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	}), name)
}

// trailQuery parses `[PERSON|PROCESS|R-XXXX] [in CLUSTER] [since=2h]`, in any order. The word
// `since=` may be left out.
func (s *Reads) trailQuery(c *call.Call, back time.Duration) (trailQuery, error) {
	q := trailQuery{what: "everything"}
	w := words.Of(c.Topic)
	for i := 0; i < len(w); i++ {
		length, isLength := call.ReadLength(strings.TrimPrefix(words.Plain(w[i]), "since="))
		switch {
		case isLength:
			if length <= 0 || length > mostBack {
				return q, &command.Question{
					Code: command.UnknownName,
					Text: fmt.Sprintf(
						"I can show at most %d days. Older entries: `bot audit show` on my machine.",
						mostBack/(24*time.Hour),
					),
				}
			}
			back = length
		case words.Plain(w[i]) == "since":
		case words.Plain(w[i]) == "in" && i+1 < len(w) && c.Names.KnowsCluster(w[i+1]):
			i++
			q.cluster = words.Plain(w[i])
		default:
			if err := s.trailSubject(c, &q, w[i]); err != nil {
				return q, err
			}
		}
	}
	q.since = s.Now().Add(-back)
	return q, nil
}

// trailSubject parses a word as the person, process or run whose entries are wanted, and sets it
// in q.
func (s *Reads) trailSubject(c *call.Call, q *trailQuery, typed string) error {
	if q.what != "everything" {
		return &command.Question{
			Code: command.UnknownName,
			Text: fmt.Sprintf("One thing at a time: %s, or %s? Type `%s`.", q.what, words.Shown(typed), c.Cmd.Usage),
		}
	}
	if id, ok := words.RunID(typed); ok {
		q.run, q.what = id, id
		return nil
	}
	g := c.Names
	var names []string
	for i, p := range s.Rules.People {
		if !s.known(p, g) && p.Name != c.Who.Name {
			continue
		}
		if p.Name == words.Plain(typed) || words.Plain(typed) == "me" && p.Name == c.Who.Name {
			q.person, q.what = &s.Rules.People[i], p.Name
			return nil
		}
		names = append(names, p.Name)
	}
	if id, ok := g.ProcessMeant(typed); ok {
		q.process, q.what = id, id
		return nil
	}
	m := &command.Question{
		Code: command.UnknownName,
		Text: fmt.Sprintf("I don't know a person, process or run %s.", words.Shown(typed)),
	}
	for _, n := range append(suggest.Near(words.Plain(typed), names), g.ProcessesLike(typed)...) {
		m.Choices = append(m.Choices, parser.Choose(g, c.Channel, c.Cmd.Verb+" "+n)...)
	}
	return m
}

// known reports whether a person may read at least one of the clusters that a grammar knows.
func (s *Reads) known(p auth.Person, g *command.Grammar) bool {
	return slices.ContainsFunc(g.ClusterNames(), s.Sees(p, ""))
}

// seq returns entries as an iterator, as the writers of package audit expect.
func seq(entries []audit.Sealed) func(yield func(audit.Sealed, error) bool) {
	return func(yield func(audit.Sealed, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}
