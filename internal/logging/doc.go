// Package logging makes the bot's log: level and format, and the ids of command and run in each
// line.
package logging
