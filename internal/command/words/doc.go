// Package words reads typed text as words. It knows no command, process, host or cluster.
//
// # Files
//
//   - normalise.go: undoes the changes of keyboards and chats
//   - token.go: splits a text into words
//   - opening.go: words before a verb or at the end that mean nothing: the bot's name, a
//     greeting, please, can you
//   - kinds.go: kinds of words: politeness, a mark, a doubt, a state, a place word
//   - when.go: words of a later time (tonight, eod, at 5), and durations
//   - runid.go: the ids of runs
//   - show.go: typed words in an answer
package words
