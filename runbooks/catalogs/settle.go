package catalogs

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// instantForm is the format of a time in a command. Both find and journalctl accept it, and it does
// not depend on the host's time zone.
const instantForm = "2006-01-02 15:04:05 UTC"

// instantForms are the formats in which a person may type a time, besides an age such as 30m. A
// time without a zone is in UTC.
var instantForms = []string{
	instantForm, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly,
}

var age = regexp.MustCompile(`^([1-9][0-9]{0,4})(m|min|h|d)$`)

// Settle makes typed values definite, once, before planning. A time such as 30m, 2h, 1d or
// 2026-02-09T14:00 becomes absolute, and flags are put in the order of their choices. Other values
// do not change. Plan reports errors in the values.
func (a *Action) Settle(params map[string]string, now time.Time) map[string]string {
	out := maps.Clone(params)
	for _, p := range a.Params {
		value, given := params[p.Name]
		if !given {
			continue
		}
		switch p.Type {
		case InstantParam:
			out[p.Name] = settleInstant(value, now)
		case FlagsParam:
			out[p.Name] = p.settleFlags(value)
		default:
		}
	}
	return out
}

func settleInstant(value string, now time.Time) string {
	if m := age.FindStringSubmatch(value); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return value
		}
		unit := map[string]time.Duration{"m": time.Minute, "min": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[m[2]]
		return now.UTC().Add(-time.Duration(n) * unit).Format(instantForm)
	}
	for _, form := range instantForms {
		if t, err := time.Parse(form, value); err == nil {
			return t.UTC().Format(instantForm)
		}
	}
	return value
}

// settleFlags puts flags in the order of the choices, and corrects their case. If a flag is unknown
// or ambiguous, it returns the value unchanged.
func (p *Param) settleFlags(value string) string {
	given := map[string]bool{}
	for word := range strings.SplitSeq(value, ",") {
		var like []string
		for _, c := range p.Choices {
			if strings.EqualFold(c, word) {
				like = append(like, c)
			}
		}
		if len(like) != 1 {
			return value
		}
		given[like[0]] = true
	}
	return strings.Join(slices.DeleteFunc(slices.Clone(p.Choices), func(c string) bool { return !given[c] }), ",")
}

// FlagsOf returns the flags of each parameter of type FlagsParam, by "param.NAME".
func (a *Action) FlagsOf(values map[string]string) map[string][]string {
	out := map[string][]string{}
	for _, p := range a.Params {
		if v, ok := values["param."+p.Name]; ok && p.Type == FlagsParam {
			out["param."+p.Name] = strings.Split(v, ",")
		}
	}
	return out
}
