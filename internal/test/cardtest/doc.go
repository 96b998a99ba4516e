// Package cardtest has an example of every card that the bot shows, for the
// tests of their wording, rendering and drawing.
package cardtest
