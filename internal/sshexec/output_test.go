package sshexec

import (
	"bytes"
	"testing"
)

func TestCapture(t *testing.T) {
	for _, c := range []struct {
		keep       int
		writes     []string
		head, tail string
	}{
		{4, nil, "", ""},
		{4, []string{"ab"}, "ab", ""},
		{4, []string{"abcd"}, "abcd", ""},
		{4, []string{"abcdef"}, "abcd", "ef"},
		{4, []string{"abcdefgh"}, "abcd", "efgh"},
		{4, []string{"abcdefghi"}, "abcd", "fghi"},
		{4, []string{"ab", "cdefg", "h", "ij"}, "abcd", "ghij"},
		{4, []string{"abcdefghijklmnopqrstuvwxyz"}, "abcd", "wxyz"},
		{1, []string{"abc", "d"}, "a", "d"},
	} {
		w := &capture{keep: c.keep}
		for _, s := range c.writes {
			w.Write([]byte(s))
		}
		if o := w.output(); string(o.Head) != c.head || string(o.Tail) != c.tail {
			t.Errorf("%q: kept %q and %q, want %q and %q", c.writes, o.Head, o.Tail, c.head, c.tail)
		}
	}
}

// FuzzCapture divides a stream into writes at random. The first and the last bytes must be kept,
// all bytes must be counted, and returned output must not change later.
func FuzzCapture(f *testing.F) {
	f.Add([]byte("some output of a command"), uint8(3), uint8(5))
	f.Add([]byte(""), uint8(1), uint8(0))
	f.Add(bytes.Repeat([]byte("0123456789"), 60), uint8(64), uint8(255))
	f.Fuzz(func(t *testing.T, stream []byte, keep, cut uint8) {
		k := max(1, int(keep))
		w := &capture{keep: k}
		for rest := stream; len(rest) > 0; {
			n := min(len(rest), 1+int(cut)%(1+len(rest)))
			if took, err := w.Write(rest[:n]); took != n || err != nil {
				t.Fatalf("Write: %d, %v", took, err)
			}
			rest = rest[n:]
		}
		o := w.output()
		head := stream[:min(k, len(stream))]
		rest := stream[len(head):]
		tail := rest[len(rest)-min(k, len(rest)):]
		if !bytes.Equal(o.Head, head) || !bytes.Equal(o.Tail, tail) {
			t.Errorf("kept %q and %q, want %q and %q", o.Head, o.Tail, head, tail)
		}
		if o.Total != int64(len(stream)) || o.Truncated() != (len(stream) > 2*k) {
			t.Errorf("total %d, truncated %v of %d bytes", o.Total, o.Truncated(), len(stream))
		}
		w.Write(bytes.Repeat([]byte{0}, 3*k))
		if !bytes.Equal(o.Head, head) || !bytes.Equal(o.Tail, tail) {
			t.Error("a later write changed an earlier output")
		}
	})
}
