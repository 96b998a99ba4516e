package statuscard

// mostUnasked is how many hosts that could not be asked have lines of their
// own.
const mostUnasked = 4

// How much of a large fleet a card names; the rest is counted.
const (
	mostBad    = 10 // processes that are not as expected, the worst first
	mostLines  = 4  // lines of one kind
	mostNamed  = 6  // names in a line
	mostQuiet  = 5  // processes in maintenance
	mostHosts  = 10 // hosts with a line of their own
	onOneBoard = 40 // processes of one host
)
