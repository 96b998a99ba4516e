// Package presence knows which of the people to mention are away or in Do Not Disturb, from the
// platform. Without an answer it reports nothing.
package presence
