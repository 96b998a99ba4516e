package auth

import (
	"slices"
	"testing"
)

// TestCall checks which approvers are mentioned in each round. They must all be people who may
// vote.
func TestCall(t *testing.T) {
	people := []Person{{Name: "anna"}, {Name: "ben"}, {Name: "chris"}, {Name: "dana"}, {Name: "rita"}}
	for _, c := range []struct {
		name   string
		calls  Calls
		asked  string
		rounds [3][]string
	}{
		{"no order", Calls{}, "anna", [3][]string{{"ben", "chris", "dana"}, {"ben", "chris", "dana"}, {"ben", "chris", "dana"}}},
		{"a first group only", Calls{First: []string{"ben"}}, "anna", [3][]string{{"ben"}, {"ben", "chris", "dana"}, {"ben", "chris", "dana"}}},
		{"a next group only", Calls{Next: []string{"dana"}}, "anna", [3][]string{{"ben", "chris"}, {"ben", "chris", "dana"}, {"ben", "chris", "dana"}}},
		{"two groups and others", Calls{First: []string{"ben"}, Next: []string{"chris"}}, "anna", [3][]string{{"ben"}, {"ben", "chris"}, {"ben", "chris", "dana"}}},
		{"the requester is the first group", Calls{First: []string{"ben"}, Next: []string{"chris"}}, "ben", [3][]string{{"chris"}, {"chris"}, {"chris", "dana"}}},
		{"the requester is both groups", Calls{First: []string{"ben"}, Next: []string{"ben"}}, "ben", [3][]string{{"chris", "dana"}, {"chris", "dana"}, {"chris", "dana"}}},
		{"no approver among the first", Calls{First: []string{"rita"}}, "anna", [3][]string{{"ben", "chris", "dana"}, {"ben", "chris", "dana"}, {"ben", "chris", "dana"}}},
	} {
		rules := &Rules{People: people, Clusters: map[string]Roles{"prod": {Approver: {"ben", "chris", "dana"}}}, Calls: map[string]Calls{"prod": c.calls}}
		for round, want := range c.rounds {
			var got []string
			for _, p := range rules.Call("prod", c.asked, Round(round)) {
				got = append(got, p.Name)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, round %d: %v, want %v", c.name, round, got, want)
			}
		}
	}
}
