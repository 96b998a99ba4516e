package mutant

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Edit replaces a text that a file of the module contains exactly once.
type Edit struct{ File, Old, New string }

// Apply makes the edits to files under root and returns their new texts by
// path. An edit that does not apply is an error: the code of the rule was
// changed, moved or removed.
func Apply(root string, edits []Edit) (map[string]string, error) {
	texts := map[string]string{}
	for _, e := range edits {
		path := filepath.Join(root, filepath.FromSlash(e.File))
		text, edited := texts[path]
		if !edited {
			data, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			text = string(data)
		}
		if n := strings.Count(text, e.Old); n != 1 {
			return nil, fmt.Errorf("%s contains %q %d times, and must contain it once: adapt the edit to the code", e.File, e.Old, n)
		}
		texts[path] = strings.Replace(text, e.Old, e.New, 1)
	}
	return texts, nil
}

// Overlay applies the edits and writes the files for `go build -overlay` into
// dir. It returns the overlay's path.
func Overlay(root, dir string, edits []Edit) (string, error) {
	texts, err := Apply(root, edits)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for path, text := range texts {
		to := filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[path] = to
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, data, 0o600)
}
