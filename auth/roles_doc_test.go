package auth

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"dhbot/runbooks"
)

// docRows maps the names of classes and levels in docs/roles.md to their values.
var docRows = map[string]struct {
	class runbooks.Class
	level runbooks.Severity
}{
	"read":                   {runbooks.Read, runbooks.None},
	"sensitive":              {runbooks.Sensitive, runbooks.None},
	"writes":                 {runbooks.Writes, runbooks.None},
	"disruptive, Sev 2 or 3": {runbooks.Disruptive, runbooks.Moderate},
	"disruptive, Sev 1":      {runbooks.Disruptive, runbooks.Critical},
	"destructive":            {runbooks.Destructive, runbooks.Critical},
}

// TestRolesPage compares the matrix of docs/roles.md with the rules.
func TestRolesPage(t *testing.T) {
	page, err := os.ReadFile("../docs/roles.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		row, ok := docRows[cells[0]]
		if !ok {
			continue
		}
		seen++
		for i, role := range []Role{Reader, Operator, Approver, Data} {
			p := Person{Name: "only"}
			rules := &Rules{People: []Person{p}, Clusters: map[string]Roles{"prod": {role: {"only"}}}}
			may := rules.MayAsk(p, "prod", row.class, "") == nil
			if want := cells[2+i] == "yes"; may != want {
				t.Errorf("%s: the page says %s for %s, the rules say %v", cells[0], cells[2+i], role, may)
			}
		}
		if want := strconv.Itoa(Policy{}.VotesNeeded(row.class, row.level)); cells[6] != want {
			t.Errorf("%s: the page says %s approvals, the policy %s", cells[0], cells[6], want)
		}
	}
	if seen != len(docRows) {
		t.Errorf("the page has %d of %d classes", seen, len(docRows))
	}
}
