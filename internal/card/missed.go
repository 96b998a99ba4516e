package card

import "time"

// MissedMessages says from when to when nothing that people typed has arrived. push is
// the same in words, for people who see nothing else.
func MissedMessages(from, to time.Time, push string) Card {
	return Card{Push: push, Head: Line{
		T("🔇 I could not hear Slack from "), At(from), T(" to "), At(to), T(". Please repeat commands from then."),
	}}
}

// SomeMessagesMissed says from when to when only a part of what people typed has arrived.
func SomeMessagesMissed(from, to time.Time, push string) Card {
	return Card{Push: push, Head: Line{
		T("🔇 Between "), At(from), T(" and "), At(to), T(" not everything from Slack reached me. Please repeat commands from then that got no answer."),
	}}
}

// RoundTripMessage is the message that the bot marks to hear Slack tell it so.
func RoundTripMessage() Card {
	const text = "👂 Every two minutes I set a mark here or take it back, and listen for Slack telling me so: that is how I know that I hear you."
	return Card{Push: text, Head: Line{T(text)}}
}
