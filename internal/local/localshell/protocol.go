// Package localshell is the way in for people in a shell on the bot's own
// machine, for the hour when Slack itself is down. Over a local socket a person
// says a command, is given a challenge, signs it together with the command with
// a key of theirs that stands in the config, and is answered with a stream of
// events until the command has come to its end. What the command may do is
// decided by the same gate as everywhere else, and nothing asks Slack.
package localshell

import (
	"time"

	"dhbot/internal/card"
)

// Purpose is the namespace of the signatures (sshkey): they are worth nothing
// anywhere else, and nothing that was signed for anything else is worth
// anything here.
const Purpose = "terminal@dhbot"

const (
	maxBody    = 64 << 10         // bytes of a request; a command is far shorter
	maxCommand = 10_000           // bytes
	answerTime = 60 * time.Second // from challenge to signature; a key in hardware waits for a touch
)

// ask is the first request: who wants what, and with which keys they could
// prove it.
type ask struct {
	Command string   `json:"command"`
	As      string   `json:"as,omitempty"` // the name in the config, where the keys do not say
	Keys    [][]byte `json:"keys"`         // public keys in SSH's binary form
}

// challenge is the answer: sign this, with that key.
type challenge struct {
	Nonce  string `json:"nonce"`
	Person string `json:"person"`
	Key    []byte `json:"key"`
}

// proof is the second request.
type proof struct {
	Nonce     string `json:"nonce"`
	Command   string `json:"command"`
	Signature []byte `json:"signature"`
}

// words are what is signed. The asking side makes them of the command that the
// person typed, so that no one in between can have them sign another. Nonce and
// person hold no newline, and the command comes last: two different triples
// never make the same words.
func words(nonce, person, command string) []byte {
	return []byte("dhbot terminal 1\n" + nonce + "\n" + person + "\n" + command)
}

// Event is one line of the answer, in JSON. One of Text, File and End is set.
type Event struct {
	// Text is a card as text, its lines ending in "\n". Where Live is set a
	// later Text with Live takes its place.
	Text string `json:"text,omitempty"`
	Live bool   `json:"live,omitempty"`
	// Run and State go with the text of a run.
	Run   string `json:"run,omitempty"`
	State string `json:"state,omitempty"`
	// Facts are what Text says, as data.
	Facts *card.Facts `json:"facts,omitempty"`
	File  *File       `json:"file,omitempty"`
	// End is set in the last event, and only there.
	End *End `json:"end,omitempty"`
}

// File is what a chat would show as a file.
type File struct {
	Name    string `json:"name"`
	Title   string `json:"title,omitempty"`
	Content string `json:"content"`
}

// End is how a command ended.
type End struct {
	// OK says that what was asked for was done: a run that was asked for ended
	// as done, anything else was let through and answered.
	OK    bool   `json:"ok"`
	Run   string `json:"run,omitempty"`
	State string `json:"state,omitempty"` // engine.State of Run
	Why   string `json:"why,omitempty"`
	// Confirm says that nothing was done, and that the same command after
	// YesPrefix does it. The command RunPrefix and Proposal does what was shown,
	// and is refused where that has changed.
	Confirm  bool   `json:"confirm,omitempty"`
	Proposal string `json:"proposal,omitempty"`
}

// What stands before a command, as a part of what the requester signs: YesPrefix
// wants no question about what would run, RunPrefix stands before the id of what
// was shown.
const (
	YesPrefix = "--yes "
	RunPrefix = "--run "
)
