package catalogs

import (
	"crypto/rand"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"dhbot/internal/suggest"
	"dhbot/runbooks"
)

// ParamType is the type of a parameter. No value, of any type, is empty or begins with "-". A text,
// a choice, flags, or the partition * may contain what a shell interprets. Quote makes them safe.
type ParamType string

// All parameter types.
const (
	NameParam      ParamType = "name"       // a namespace or table: a letter or "_", then letters, digits, "_", at most 128
	PartitionParam ParamType = "partition"  // an internal partition: letters, digits, "_", ".", "-", at most 128, not beginning with "." or "-"
	DateParam      ParamType = "date"       // a calendar day, YYYY-MM-DD, not in the future
	IntParam       ParamType = "int"        // a whole number between min and max
	ChoiceParam    ParamType = "choice"     // one value of a list
	UserParam      ParamType = "user"       // an etcd client directory: a lower-case letter, then lower-case letters, digits, "-", at most 64
	KeyPrefixParam ParamType = "key_prefix" // an etcd key below /main/config/ or /main/pq/, without ".."

	PartitionsParam ParamType = "partitions" // a partition, or * for all of them
	TextParam       ParamType = "text"       // a search text for a log: printable, at most 200 characters
	InstantParam    ParamType = "instant"    // YYYY-MM-DD HH:MM:SS UTC; Settle converts other forms to it
	FlagsParam      ParamType = "flags"      // values of a list, joined by commas, each at most once
	ExportParam     ParamType = "export"     // the name of a file made by pq-export
)

// paramTypes returns all types.
func paramTypes() []ParamType {
	return []ParamType{
		NameParam, PartitionParam, DateParam, IntParam, ChoiceParam, UserParam, KeyPrefixParam,
		PartitionsParam, TextParam, InstantParam, FlagsParam, ExportParam,
	}
}

// ParamShape has, for each type except ChoiceParam and FlagsParam, a pattern for valid values, the
// message about an invalid value, and an example.
var ParamShape = map[ParamType]struct {
	Re      *regexp.Regexp
	want    string
	example string
}{
	NameParam: {
		regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`),
		"must be letters, digits and _, not beginning with a digit",
		"Order",
	},
	PartitionParam: {
		regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`),
		"must be letters, digits, _ . and -, not beginning with . or -",
		"internal-1",
	},
	UserParam: {
		regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`),
		"must be lower-case letters, digits and -, beginning with a letter",
		"schema-ro",
	},
	KeyPrefixParam: {
		regexp.MustCompile(`^/main/(config|pq)/(?:\.?[A-Za-z0-9_/-]){0,512}\.?$`),
		"must be a key below /main/config/ or /main/pq/",
		"/main/config/",
	},
	DateParam: {regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`), "must be a date such as 2026-02-09", "2026-02-09"},
	IntParam:  {regexp.MustCompile(`^[0-9]{1,9}$`), "must be a whole number", "30"},

	PartitionsParam: {
		regexp.MustCompile(`^(\*|[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$`),
		"must be one partition (letters, digits, _ . -), or * for all of them",
		"*",
	},
	TextParam: {
		regexp.MustCompile(`^[^\pC\pZ-][^\pC]*$`),
		"must be at most 200 printable characters, not beginning with a space or -",
		"timeout",
	},
	InstantParam: {
		regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} UTC$`),
		"must be an age or a time such as 30m, 2h or 2026-02-09T14:00",
		"2h",
	},
	ExportParam: {
		regexp.MustCompile(`^pq-[0-9]{8}-[0-9]{6}-[a-z2-7]{6}\.xml$`),
		"must be the name of an export, as pq-exports lists them",
		"pq-20260209-140607-k3x7qa.xml",
	},
}

// maxTextRunes is the maximum length of a TextParam.
const maxTextRunes = 200

// Param is a parameter of an action.
type Param struct {
	Name     string    `json:"name"`
	Type     ParamType `json:"type"`
	Help     string    `json:"help,omitempty"`
	Optional bool      `json:"optional,omitempty"`
	Default  string    `json:"default,omitempty"`
	Choices  []string  `json:"choices,omitempty"` // ChoiceParam
	Min      int       `json:"min,omitempty"`     // IntParam
	Max      int       `json:"max,omitempty"`     // IntParam
	// Today is the name of another parameter of the action, for a DateParam. If the given day is
	// not over in every time zone, that parameter must be yes. If Today is "", the day need not be
	// over.
	Today string `json:"today,omitempty"`
}

// Check returns "" if the value is valid. Otherwise it says what a valid value is.
func (p *Param) Check(value string) string {
	if p.Type == ChoiceParam {
		if !slices.Contains(p.Choices, value) {
			return "must be " + suggest.Either(p.Choices)
		}
		return ""
	}
	if p.Type == FlagsParam {
		return p.checkFlags(value)
	}
	shape, ok := ParamShape[p.Type]
	if !ok {
		return fmt.Sprintf("has the unknown type %q", p.Type)
	}
	if !shape.Re.MatchString(value) {
		return shape.want
	}
	switch p.Type {
	case DateParam:
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return "must be a date that exists"
		}
	case IntParam:
		if n, err := strconv.Atoi(value); err != nil || n < p.Min || n > p.Max || value != strconv.Itoa(n) {
			return fmt.Sprintf("must be a whole number from %d to %d", p.Min, p.Max)
		}
	case InstantParam:
		if _, err := time.Parse(instantForm, value); err != nil {
			return "must be a time that exists"
		}
	case TextParam:
		// The runes are counted here, because a repetition in the pattern would take 4 MB of
		// memory.
		if utf8.RuneCountInString(value) > maxTextRunes {
			return shape.want
		}
	case KeyPrefixParam:
		if strings.Contains(value, "..") {
			return "must not contain .."
		}
	}
	return ""
}

// Example returns a valid value. If there is a default, it is the default.
func (p *Param) Example() string {
	switch {
	case p.Default != "":
		return p.Default
	case len(p.Choices) > 0:
		return p.Choices[0]
	case p.Type == IntParam:
		return strconv.Itoa(min(max(exampleInt, p.Min), p.Max))
	default:
		return ParamShape[p.Type].example
	}
}

// exampleInt is the example for a number, unless it is outside the bounds.
const exampleInt = 30

// Values describes the valid values in words, as in "all, etcd or ACLs".
func (p *Param) Values() string {
	switch p.Type {
	case ChoiceParam:
		return suggest.Either(p.Choices)
	case FlagsParam:
		return "one or more of: " + strings.Join(p.Choices, ",")
	case IntParam:
		return fmt.Sprintf("%d to %d", p.Min, p.Max)
	default:
		return strings.TrimPrefix(ParamShape[p.Type].want, "must be ")
	}
}

// checkFlags checks that a list has only flags of the choices, each at most once, and in the order
// of the choices. It returns "" or what is wrong.
func (p *Param) checkFlags(value string) string {
	last := -1
	for flag := range strings.SplitSeq(value, ",") {
		i := slices.Index(p.Choices, flag)
		if i <= last {
			return "must be one or more of these, in this order and each once: " + strings.Join(p.Choices, ",")
		}
		last = i
	}
	return ""
}

// Values checks the inputs against the action's parameters, and adds the defaults. It refuses a
// date in the future, unless now is zero.
func (a *Action) Values(in runbooks.Inputs, now time.Time) (vals map[string]string, absent map[string]bool, err error) {
	vals, absent = map[string]string{}, map[string]bool{}
	names := make([]string, len(a.Params))
	for i := range a.Params {
		p := &a.Params[i]
		names[i] = p.Name
		value, given := in.Params[p.Name]
		switch {
		case given:
		case p.Default != "":
			value = p.Default
		case p.Optional:
			absent["param."+p.Name] = true
			continue
		default:
			return nil, nil, &runbooks.ParamError{Action: a.Name, Param: p.Name, Want: "is missing: " + p.Help}
		}
		want := p.Check(value)
		if want == "" && p.Type == DateParam && !now.IsZero() && value > now.UTC().Add(firstZone).Format(time.DateOnly) {
			want = "must not lie in the future"
		}
		if want == "" && p.Today != "" && in.Params[p.Today] != "yes" && !now.IsZero() &&
			value >= now.UTC().Add(-lastZone).Format(time.DateOnly) {
			want = "is not over in every time zone: if you mean today, add " + p.Today + "=yes"
		}
		if want != "" {
			return nil, nil, &runbooks.ParamError{Action: a.Name, Param: p.Name, Value: value, Want: want}
		}
		vals["param."+p.Name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(in.Params)) {
		if !slices.Contains(names, name) {
			return nil, nil, &runbooks.UnknownError{What: "parameter", Name: name, In: a.Name, Suggestions: suggest.Near(name, names)}
		}
	}
	for _, name := range a.Minted {
		if !Stamp.MatchString(in.Minted[name]) {
			return nil, nil, &runbooks.ParamError{
				Action: a.Name,
				Param:  name,
				Value:  in.Minted[name],
				Want:   "must be a stamp made by NewStamp",
			}
		}
		vals["minted."+name] = in.Minted[name]
	}
	return vals, absent, nil
}

// firstZone is the largest offset of a time zone ahead of UTC (UTC+14). A date is in the future
// only if the day has begun in no time zone.
const firstZone = 14 * time.Hour

// lastZone is the largest offset of a time zone behind UTC (UTC-12).
const lastZone = 12 * time.Hour

var Stamp = regexp.MustCompile(`^[0-9]{8}-[0-9]{6}-[a-z2-7]{6}$`)

// NewStamp returns a stamp for the name of a new file, such as "20260209-140607-k3x7qa". It has the
// time in UTC and 30 random bits, so that two runs in the same second differ.
func NewStamp(now time.Time) string {
	return now.UTC().Format("20060102-150405-") + strings.ToLower(rand.Text()[:6])
}

// Mint makes a stamp for each name in Minted. The stamps are stored with the run.
func (a *Action) Mint(now time.Time) map[string]string {
	if len(a.Minted) == 0 {
		return nil
	}
	out := make(map[string]string, len(a.Minted))
	for _, name := range a.Minted {
		out[name] = NewStamp(now)
	}
	return out
}
