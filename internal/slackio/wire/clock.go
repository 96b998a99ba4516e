package wire

import (
	"slices"
	"time"
)

const (
	// samples is how many answers the offset is the median of: one odd answer
	// changes nothing, and a clock that was set is noticed at the second.
	samples = 3
	// slowest is how long an answer may have taken to say what time it is.
	slowest = 3 * time.Second
	// agree is how far apart two clocks may be that agree: the Date header has
	// whole seconds, and deadlines are judged to two seconds.
	agree = 2 * time.Second
)

// clock compares this machine's clock with the Date header of answers. Events
// would not do: one that was delivered late looks just like an offset.
type clock struct {
	offsets []time.Duration // the newest
}

// note takes the Date header of an answer to a call made from sent to got.
func (c *clock) note(date, sent, got time.Time) {
	took := got.Sub(sent)
	if took < 0 || took > slowest {
		return
	}
	// The header cuts off what is below a second: half a second on average.
	c.offsets = append(c.offsets, sent.Add(took/2).Sub(date.Add(time.Second/2)))
	c.offsets = c.offsets[max(0, len(c.offsets)-samples):]
}

// ahead is the median offset, 0 where the clocks agree.
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
