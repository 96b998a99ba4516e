package sign

import (
	"bytes"
	"fmt"
	"testing"
)

// BenchmarkValue measures the signature of one stored value: a run of a few steps, and a run of
// many.
func BenchmarkValue(b *testing.B) {
	key, err := New()
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{4 << 10, 64 << 10} {
		v := Value{Epoch: 1, N: 7, Body: []byte(fmt.Sprintf(`{"text":%q}`, bytes.Repeat([]byte("x"), size)))}
		b.Run(fmt.Sprintf("sign %d KiB", size>>10), func(b *testing.B) {
			for b.Loop() {
				key.Sign("dhbot/run/R-7F3K", v)
			}
		})
		signed := key.Sign("dhbot/run/R-7F3K", v)
		b.Run(fmt.Sprintf("open %d KiB", size>>10), func(b *testing.B) {
			for b.Loop() {
				if _, err := key.Open("dhbot/run/R-7F3K", signed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
