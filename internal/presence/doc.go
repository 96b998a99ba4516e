// Package presence finds out which people are away, or in Do Not Disturb, before a card mentions
// them. It asks the platform, and reports nothing if the platform does not answer.
package presence
