package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// quantile is the value below which a share of the values lies.
func quantile[T time.Duration | float64](of []T, share float64) T {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[int(share*float64(len(sorted)-1)+0.5)]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// result is one line of the verdict: a number, and what it may be at most or
// must be at least.
type result struct {
	what, metric string
	value        float64
	atMost       float64 // 0 where atLeast counts
	atLeast      float64
}

func (r result) String() string {
	word, bound, ok := "at most", r.atMost, r.value <= r.atMost
	if r.atMost == 0 {
		word, bound, ok = "at least", r.atLeast, r.value >= r.atLeast
	}
	verdict := "held"
	if !ok {
		verdict = "MISSED"
	}
	return fmt.Sprintf("%-52s %8.2f   %-8s %6.2f   %s", r.what, r.value, word, bound, verdict)
}

// table shows what was measured, side by side, and then what follows from it.
func table(sides []*side, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-24s %9s %9s %20s %20s %11s\n", "", "in flight", "replies/s", "ack p50 / p99 ms", "reply p50 / p99 ms", "CPU ms each")
	for _, inFlight := range []int{1, manyInFlight} {
		for _, s := range sides {
			row := s.rows[inFlight]
			if row == nil {
				continue
			}
			fmt.Fprintf(&b, "%-24s %9d %9.0f %11.2f / %6.2f %11.2f / %6.2f %11.2f\n", s.name, inFlight, quantile(row.rates, 0.5),
				milliseconds(quantile(row.acks, 0.5)), milliseconds(quantile(row.acks, 0.99)),
				milliseconds(quantile(row.replies, 0.5)), milliseconds(quantile(row.replies, 0.99)),
				milliseconds(quantile(row.cpu, 0.5)))
		}
	}
	b.WriteByte('\n')
	for _, r := range results {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}
