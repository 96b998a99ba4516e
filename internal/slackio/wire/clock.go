package wire

import (
	"slices"
	"time"
)

const (
	// samples is the number of answers from which the median offset is computed. With three, a
	// single wrong answer changes nothing, and two answers suffice to detect a changed clock.
	samples = 3
	// slowest is how long a call may take for its Date header to be used.
	slowest = 3 * time.Second
	// agree is the limit below which an offset counts as zero. The Date header has only whole
	// seconds, and deadlines are accurate to two seconds.
	agree = 2 * time.Second
)

// clock compares this machine's clock with the Date header of Slack's answers. It does not use the
// times of events, because an event that is delivered late would look like an offset.
type clock struct {
	offsets []time.Duration // the newest
}

// note records the Date header of an answer. The times asked and answered are when the call was
// sent and when its answer arrived, by this machine's clock.
func (c *clock) note(date, asked, answered time.Time) {
	took := answered.Sub(asked)
	if took < 0 || took > slowest {
		return
	}
	// The header leaves out fractions of a second, so half a second is added, which is the average.
	c.offsets = append(c.offsets, asked.Add(took/2).Sub(date.Add(time.Second/2)))
	c.offsets = c.offsets[max(0, len(c.offsets)-samples):]
}

// ahead returns the median offset, or 0 if the clocks agree.
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
