package redact

import (
	_ "embed"
	"strconv"
	"strings"
)

//go:generate go run generate.go

// gitleaks holds the forms of tokens and keys that services issue, from a
// maintained set of rules; see generate.go.
//
//go:embed gitleaks.tsv
var gitleaks string

// maintained are the rules of gitleaks.
func maintained() (rules []rule) {
	for line := range strings.Lines(gitleaks) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 5)
		if len(f) != 5 {
			continue
		}
		entropy, err := strconv.ParseFloat(f[2], 64)
		if err != nil {
			panic("redact: " + f[0] + " has the entropy " + f[2])
		}
		group, err := strconv.Atoi(f[3])
		if err != nil {
			panic("redact: " + f[0] + " has the group " + f[3])
		}
		rules = append(rules, rule{
			hints:  strings.Split(f[1], ","),
			shapes: []shape{{pattern: lazily(f[4]), group: group, entropy: entropy}},
		})
	}
	return rules
}
