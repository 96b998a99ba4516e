package observe

import (
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"dhbot/internal/remote"
)

// noon is when every sample was answered, by the bot's clock.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// sample is one real answer of a tool.
type sample struct {
	name, cmd string
	result    remote.Result
}

// readSamples reads an archive of testdata, as remote would classify it.
func readSamples(t testing.TB, archive string) map[string]sample {
	t.Helper()
	a, err := txtar.ParseFile("testdata/" + archive + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]sample{}
	for _, f := range a.Files {
		name, part := path.Split(f.Name)
		name = strings.TrimSuffix(name, "/")
		if name == "" {
			continue // a sequence of outputs, not one answer
		}
		s := out[name]
		s.name = name
		text := string(f.Data)
		switch part {
		case "cmd":
			s.cmd = strings.TrimSpace(text)
		case "rc":
			if s.result.Exit, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		case "stdout":
			s.result.Stdout = output(text)
		case "stderr":
			s.result.Stderr = output(text)
		}
		out[name] = s
	}
	for name, s := range out {
		s.result.Outcome, s.result.Ended = remote.Answered, noon
		s.result = remote.Classify(remote.Command{Sent: s.cmd}, s.result)
		out[name] = s
	}
	return out
}

func output(s string) remote.Output {
	return remote.Output{Head: []byte(s), Total: int64(len(s))}
}

// answer is a result with this standard output.
func answer(stdout string) remote.Result {
	return remote.Result{Outcome: remote.Answered, Stdout: output(stdout), Ended: noon}
}
