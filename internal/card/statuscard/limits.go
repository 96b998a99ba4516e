package statuscard

// mostUnasked is the number of hosts with a failed query that get a line each.
const mostUnasked = 4

// Limits of what a card names in a large fleet. The rest is counted.
const (
	mostBad    = 10 // processes that are not as expected, the worst first
	mostLines  = 4  // lines of one kind
	mostNamed  = 6  // names in a line
	mostQuiet  = 5  // processes in maintenance
	mostHosts  = 10 // hosts with a line of their own
	onOneBoard = 40 // processes of one host
)
