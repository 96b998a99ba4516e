package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// figures are the results of one round of a side; times are in milliseconds.
type figures struct {
	rate             float64 // replies a second
	cpu              float64 // CPU time of this process for each command
	ack50, ack99     float64 // quantiles of the time to the ack
	reply50, reply99 float64 // quantiles of the time to the posted reply
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantile is the value, in milliseconds, below which the given share of the times lies.
func quantile(of []time.Duration, share float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return milliseconds(sorted[int(share*float64(len(sorted)-1)+0.5)])
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return (sorted[len(sorted)/2] + sorted[(len(sorted)-1)/2]) / 2
}

// typical is the median of one figure over all rounds.
func typical(of []figures, figure func(figures) float64) float64 {
	var all []float64
	for _, f := range of {
		all = append(all, figure(f))
	}
	return median(all)
}

// ratio divides the figure of each round in of by the figure of the same round in to, and returns
// the median. Both rounds are close in time, so other load affects both.
func ratio(of, to []figures, figure func(figures) float64) float64 {
	var all []float64
	for i := range min(len(of), len(to)) {
		all = append(all, figure(of[i])/figure(to[i]))
	}
	return median(all)
}

// result is one line of the verdict: a measured number, and the limit for this number.
type result struct {
	what, metric string
	value        float64
	atMost       float64 // 0 if atLeast is the limit
	atLeast      float64 // if both are 0, there is no limit
}

func (r result) String() string {
	if r.atMost == 0 && r.atLeast == 0 {
		return fmt.Sprintf("%-52s %8.2f", r.what, r.value)
	}
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

// table shows the measurements of all sides, and then the results.
func table(sides []*side, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-24s %9s %9s %20s %20s %11s\n", "", "in flight", "replies/s", "ack p50 / p99 ms", "reply p50 / p99 ms", "CPU ms each")
	for _, inFlight := range []int{1, manyInFlight} {
		for _, s := range sides {
			of := s.rounds[inFlight]
			if len(of) == 0 {
				continue
			}
			fmt.Fprintf(&b, "%-24s %9d %9.0f %11.2f / %6.2f %11.2f / %6.2f %11.2f\n", s.name, inFlight, typical(of, rate),
				typical(of, ack50), typical(of, ack99), typical(of, reply50), typical(of, reply99), typical(of, cpu))
		}
	}
	b.WriteByte('\n')
	for _, r := range results {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}

func rate(f figures) float64    { return f.rate }
func cpu(f figures) float64     { return f.cpu }
func ack50(f figures) float64   { return f.ack50 }
func ack99(f figures) float64   { return f.ack99 }
func reply50(f figures) float64 { return f.reply50 }
func reply99(f figures) float64 { return f.reply99 }
