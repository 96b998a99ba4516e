package card

import "time"

// MissedMessages reports a period in which no commands arrived. push is the
// text of the notification.
func MissedMessages(from, to time.Time, push string) Card {
	return Card{Push: push, Head: Line{
		T("🔇 I received nothing from Slack from "), At(from), T(" to "), At(to), T(". Please repeat any command from that time."),
	}}
}

// SomeMessagesMissed reports a period in which some commands may not have arrived.
func SomeMessagesMissed(from, to time.Time, push string) Card {
	return Card{Push: push, Head: Line{
		T("🔇 Between "), At(from), T(" and "), At(to), T(" some messages from Slack did not reach me. Please repeat any command from that time that got no answer."),
	}}
}

// RoundTripMessage returns the message that the bot uses to check its connection. The bot adds a
// reaction to it, and waits for Slack to report the reaction.
func RoundTripMessage() Card {
	const text = "👂 Every two minutes I add a reaction here or remove it. Slack reports that to me, so I know that your messages reach me."
	return Card{Push: text, Head: Line{T(text)}}
}
