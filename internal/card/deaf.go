package card

import "time"

// Deaf says from when to when nothing that people typed has arrived. push is
// the same in words, for those who see nothing else.
func Deaf(from, to time.Time, push string) Card {
	return Card{Push: push, Head: Line{
		T("🔇 I could not hear Slack from "), At(from), T(" to "), At(to), T(". Please repeat commands from then."),
	}}
}
