// Package logging makes the bot's logger. It sets the level and the format, and adds the ids of the
// command and the run to each line.
package logging
