package redact

import (
	"os"
	"testing"
)

func BenchmarkText(b *testing.B) {
	data, err := os.ReadFile("../test/answertest/testdata/monit.txtar")
	if err != nil {
		b.Fatal(err)
	}
	s := string(data)
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		Text(s)
	}
}

func BenchmarkLine(b *testing.B) {
	for b.Loop() {
		Line("  status                       Connection failed - restart pending", 200)
	}
}
