package blockkit

// Slack's limits, from its documentation and its answers. Slack gives no number for some limits.
// It refused about 13,000 characters of blocks as "too long", for example. The limit here is
// then lower than what Slack accepted.
const (
	MaxBlocksJSON  = 11_500 // bytes of a message's blocks as sent
	maxViewBlocks  = 90     // blocks of a modal; Slack allows 100
	MaxText        = 3_000  // runes of the top-level text of a message with blocks
	MaxBareText    = 3_900  // runes of a message without blocks; chat.update fails above 4,000
	maxContextText = 2_000  // runes of the footer
	maxButtons     = 25
	maxLabel       = 75
	maxActionID    = 255
	maxValue       = 2_000
	maxConfirmHead = 100
	MaxConfirmText = 300
	maxConfirmTap  = 30
	maxViewTitle   = 24
	maxHint        = 150 // Slack allows 2,000, but longer hints are unreadable on a phone
	maxMetadata    = 3_000
	maxInputs      = 20
	maxInitial     = 3_000
	maxURL         = 1_000
)
