package suggest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSuggest(t *testing.T) {
	hosts := []string{"infra-1", "query-1", "query-2", "merge-1"}
	for word, want := range map[string][]string{
		"infra":  {"infra-1"},
		"qeury2": {"query-2"},
		"query":  {"query-1", "query-2"},
		"INFRA1": {"infra-1"},
		"x":      nil,
	} {
		if diff := cmp.Diff(want, Near(word, hosts)); diff != "" {
			t.Errorf("%s: %s", word, diff)
		}
	}
}
