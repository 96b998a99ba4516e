package rate

import (
	"time"
)

// Pace is the rate of posts and edits. The zero value means Slack's own limits.
type Pace struct {
	// PostEvery is the least time between two posts in one channel; 0 means 1 s. Answers do not
	// wait for PostEvery, as long as any period of PostBurst × PostEvery has at most PostBurst
	// posts; a PostBurst of 0 means 4. Slack accepts about one post a second, and more for a
	// short time.
	PostEvery time.Duration
	PostBurst int
	// EditBurst and EditEvery limit the edits in the whole workspace: EditBurst at once, then one
	// every EditEvery. 0 means 15 and 2 s, which is at most 45 in any minute (Slack allows about
	// 50). A third of the burst is reserved for final edits.
	EditBurst int
	EditEvery time.Duration
}

func (p Pace) WithDefaults() Pace {
	if p.PostEvery <= 0 {
		p.PostEvery = time.Second
	}
	if p.PostBurst <= 0 {
		p.PostBurst = 4
	}
	if p.EditBurst <= 0 {
		p.EditBurst = 15
	}
	if p.EditEvery <= 0 {
		p.EditEvery = 2 * time.Second
	}
	return p
}
