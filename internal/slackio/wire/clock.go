package wire

import (
	"slices"
	"time"
)

const (
	// samples is the number of answers for the median offset: one wrong answer changes nothing,
	// and a changed clock is detected at the second answer.
	samples = 3
	// slowest is the longest call whose answer is used.
	slowest = 3 * time.Second
	// agree is the largest offset that is treated as no offset: the Date header has whole seconds, and
	// deadlines are accurate to two seconds.
	agree = 2 * time.Second
)

// clock compares this machine's clock with the Date header of answers. Events are not suitable:
// a late delivery looks like an offset.
type clock struct {
	offsets []time.Duration // the newest
}

// note records the Date header of an answer. asked and answered are when the call was sent and when
// its answer arrived, by this machine's clock.
func (c *clock) note(date, asked, answered time.Time) {
	took := answered.Sub(asked)
	if took < 0 || took > slowest {
		return
	}
	// The header leaves out fractions of a second: half a second on average.
	c.offsets = append(c.offsets, asked.Add(took/2).Sub(date.Add(time.Second/2)))
	c.offsets = c.offsets[max(0, len(c.offsets)-samples):]
}

// ahead is the median offset, 0 if the clocks agree.
func (c *clock) ahead() time.Duration {
	if len(c.offsets) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(c.offsets))
	offset := sorted[len(sorted)/2]
	if offset.Abs() < agree {
		return 0
	}
	return offset.Round(time.Second)
}
