// Package cardtest has an example of every card that the bot shows, for the
// tests that look at how cards are worded, rendered and drawn.
package cardtest
