package buildinfo

import (
	"fmt"
	"runtime/debug"
	"time"
)

// Release is the version of a release build, set by the linker. If it is empty, Read returns the
// version that the Go tool recorded.
var Release string

// Info describes a binary.
type Info struct {
	Version string `json:"version"` // v0.2.0, or the pseudo-version of a commit
	Commit  string `json:"commit,omitempty"`
	Date    string `json:"date,omitempty"` // of the commit, RFC 3339
	Changed bool   `json:"changed"`        // with uncommitted changes
	Go      string `json:"go"`
}

// Read describes this binary. If the binary has no build information, only Version is set, to
// "unknown".
func Read() Info {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return Info{Version: "unknown"}
	}
	return from(b, Release)
}

func from(b *debug.BuildInfo, release string) Info {
	i := Info{Version: b.Main.Version, Go: b.GoVersion}
	if release != "" {
		i.Version = release
	}
	for _, s := range b.Settings {
		switch s.Key {
		case "vcs.revision":
			i.Commit = s.Value
		case "vcs.time":
			i.Date = s.Value
		case "vcs.modified":
			i.Changed = s.Value == "true"
		}
	}
	return i
}

// String is one line for people.
func (i Info) String() string {
	s := "dhbot " + i.Version
	if i.Commit != "" {
		s += fmt.Sprintf(" (commit %s", i.Commit[:min(len(i.Commit), 12)])
		if at, err := time.Parse(time.RFC3339, i.Date); err == nil {
			s += at.UTC().Format(", 2006-01-02")
		}
		if i.Changed {
			s += ", with changes"
		}
		s += ")"
	}
	return s + " " + i.Go
}
