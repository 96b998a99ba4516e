package incident

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dhbot/auth"
	"dhbot/runbooks"
)

// writeForms makes the test write testdata files with the values that this version of the bot
// stores. Never rewrite the files of a release. A change of the form gets a new version, with its
// own files.
var writeForms = flag.Bool("write-forms", false, "write the stored forms of this version to testdata")

// stored returns a follow and a cluster in which every field is set.
func stored() map[string]any {
	at := began.Add(5 * time.Minute)
	c := Change{At: at, Target: dis, From: runbooks.Low, Was: began, To: runbooks.Unknown, Since: at, Headline: "Not monitored", Text: "monit: “Not monitored”", Command: "sudo monit status db_dis", Verb: "start", Flaps: 5}
	memory := Memory{{Target: dis, Told: runbooks.Unknown, Since: at, Next: runbooks.Critical, NextSince: at, Looks: 1, Raw: runbooks.Critical, Flips: []time.Time{began, at}, Peak: runbooks.Critical, Flapping: true, NotUp: at}}
	m := Message{Channel: "C0INCIDENT", Thread: "1700000000.000100", TS: "1700000000.000200", Begun: true, Notes: []Change{c}, Told: 3}
	return map[string]any{
		"follow": &Follow{
			V: FormVersion, Scope: Scope{"prod", "db_dis", "infra-1"}, Person: "operator", Account: auth.Account{Team: "T1", User: "U1"}, Via: "slash", From: "C0INCIDENT",
			Began: began, Until: began.Add(DefaultLength), Settled: true, Memory: memory, Lately: []Change{c}, Worst: runbooks.Moderate, Looked: at, Ended: &at, Why: "stopped by approver", Message: m,
		},
		"cluster": &Cluster{
			V: FormVersion, Cluster: "prod", Memory: memory, Last: 7,
			Incidents: []*Incident{{ID: "prod-7", Opened: began, Ended: &at, Why: "the cluster is no longer monitored", Message: m, Items: []Item{{
				Change: c, First: began, Peak: runbooks.Critical, Hold: "in work: R-7F3K", Behind: []runbooks.Target{{Host: "query-2"}}, Flapped: true,
			}}}},
		},
	}
}

// TestStoredForms checks that this version reads every field of the values that earlier versions
// stored.
func TestStoredForms(t *testing.T) {
	if *writeForms {
		for name, v := range stored() {
			b, err := json.MarshalIndent(v, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join("testdata", name+"-v1.json"), append(b, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var into any = &Cluster{}
		if strings.HasPrefix(filepath.Base(file), "follow") {
			into = &Follow{}
		}
		if err := decode(b, into); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		again, err := Encode(into)
		if err != nil {
			t.Fatal(err)
		}
		var was, is any
		if err := json.Unmarshal(b, &was); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again, &is); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(was, is); diff != "" {
			t.Errorf("%s comes back as (-stored +again):\n%s", file, diff)
		}
	}
}
