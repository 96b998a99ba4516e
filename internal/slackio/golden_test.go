package slackio

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dhbot/internal/card"
	"dhbot/internal/slackio/blockkit"
	"dhbot/internal/test/cardtest"
)

var update = flag.Bool("update", false, "rewrite testdata/golden; read the diff as a reader of the cards would")

var demoRenderer blockkit.Renderer

// TestGoldenCards compares every card, as text and as blocks, with a file that
// people have read.
func TestGoldenCards(t *testing.T) {
	const dir = "testdata/golden"
	want := map[string]bool{}
	for _, s := range cardtest.All() {
		m := demoRenderer.Message(s.Card)
		blocks, err := json.MarshalIndent(m.Blocks, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, want, filepath.Join(dir, s.Name+".txt"), "push: "+m.Text+"\n\n"+card.PlainText(s.Card))
		golden(t, want, filepath.Join(dir, s.Name+".json"), string(blocks)+"\n")
	}
	for _, s := range cardtest.Forms() {
		view, err := demoRenderer.Form(s.Form, "C0INCIDENT", "")
		if err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		b, err := json.MarshalIndent(view, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, want, filepath.Join(dir, s.Name+".json"), string(b)+"\n")
	}
	files, err := filepath.Glob(dir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !want[f] {
			t.Errorf("no card has the golden file %s: remove it", f)
		}
	}
}

func golden(t *testing.T, want map[string]bool, file, got string) {
	t.Helper()
	if want[file] {
		t.Errorf("two cards are called %s", strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)))
	}
	want[file] = true
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run go test -run Golden -update ./internal/slackio", err)
	}
	if diff := cmp.Diff(string(b), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
