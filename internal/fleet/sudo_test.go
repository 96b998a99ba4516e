package fleet

import (
	"slices"
	"strings"
	"testing"
)

func TestSudoReadsRegexp(t *testing.T) {
	for v, want := range map[string]bool{"1.9.10": true, "1.9.13p3": true, "1.9.9": false, "1.8.23p10": false, "1.10": true, "2.0.0": true, "1.9": false} {
		if got, err := SudoReadsRegexp(v); err != nil || got != want {
			t.Errorf("%s: %v, %v", v, got, err)
		}
	}
	for _, v := range []string{"", "new", "1..9", "v1.9.10"} {
		if _, err := SudoReadsRegexp(v); err == nil {
			t.Errorf("%q was accepted as a version", v)
		}
	}
}

func TestSudo(t *testing.T) {
	const wrapper = SudoWrapper
	for _, c := range []struct{ argv, now, old string }{
		{"sudo monit status x", "sudo -n monit status x", "sudo -n " + wrapper + " monit status x"},
		{"sudo -n -u irisadmin monit status", "sudo -n -u irisadmin monit status", "sudo -n -u irisadmin " + wrapper + " monit status"},
		{"sudo -u irisadmin -- env A=b x", "sudo -n -u irisadmin -- env A=b x", "sudo -n -u irisadmin -- " + wrapper + " env A=b x"},
		{"sudo -n -l -u irisadmin monit", "sudo -n -l -u irisadmin monit", "sudo -n -l -u irisadmin monit"},
		{"sudo " + wrapper + " --may x", "sudo -n " + wrapper + " --may x", "sudo -n " + wrapper + " --may x"},
		{"tail -n 5 sudo", "tail -n 5 sudo", "tail -n 5 sudo"},
	} {
		for old, want := range map[bool]string{false: c.now, true: c.old} {
			h := &Host{OldSudo: old}
			if got := h.Sudo(strings.Fields(c.argv)); !slices.Equal(got, strings.Fields(want)) {
				t.Errorf("%s, old sudo %v: %q", c.argv, old, got)
			}
		}
	}
}
