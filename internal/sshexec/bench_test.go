package sshexec

import (
	"testing"

	"dhbot/internal/remote"
	"dhbot/internal/test/sshdtest"
)

// BenchmarkWarm measures one command over a warm connection to a real sshd.
func BenchmarkWarm(b *testing.B) {
	s := sshdtest.Start(b)
	p := openPool(b, s)
	want(b, run(b, p, on(s, "true")), remote.Answered)
	for b.Loop() {
		want(b, p.Run(b.Context(), on(s, "true")), remote.Answered)
	}
}

// BenchmarkCold measures one command together with the dial before it.
func BenchmarkCold(b *testing.B) {
	s := sshdtest.Start(b)
	for b.Loop() {
		p := openPool(b, s)
		want(b, p.Run(b.Context(), on(s, "true")), remote.Answered)
		p.Close()
	}
}
