// Package words reads typed text as words. It knows no command, process, host or cluster.
//
// Files: normalise.go undoes the changes of keyboards and chats. token.go splits a text.
// opening.go reads what stands before a verb: the bot's name, a greeting, please, can you.
// kinds.go tells kinds of words apart: politeness, a mark, a doubt, a state. when.go reads
// times and durations, runid.go the ids of runs. show.go writes words for an answer.
package words
