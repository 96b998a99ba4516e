// Package localshell serves people in a shell on the bot's own machine, for times when Slack is
// down. Over a local socket a person requests a challenge for a command, signs both with a key
// in the config, and gets a stream of events until the command ends. The same gate as
// everywhere else decides about the command. Nothing queries Slack.
package localshell
