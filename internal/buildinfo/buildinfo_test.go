package buildinfo

import (
	"runtime/debug"
	"testing"
)

func TestString(t *testing.T) {
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{
			{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.time", Value: "2026-11-28T23:30:00-05:00"}, {Key: "vcs.modified", Value: modified},
		}
	}
	main := debug.Module{Version: "v0.1.1-0.20261128-0123456789ab"}
	for _, c := range []struct {
		build   debug.BuildInfo
		release string
		want    string
	}{
		{debug.BuildInfo{GoVersion: "go1.26.8", Main: main, Settings: vcs("false")}, "v0.2.0", "dhbot v0.2.0 (commit 0123456789ab, 2026-11-29) go1.26.8"},
		{debug.BuildInfo{GoVersion: "go1.26.8", Main: main, Settings: vcs("true")}, "", "dhbot v0.1.1-0.20261128-0123456789ab (commit 0123456789ab, 2026-11-29, with changes) go1.26.8"},
		{debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v0.2.0"}}, "", "dhbot v0.2.0 go1.26.8"},
	} {
		if got := from(&c.build, c.release).String(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
