package localshell

import (
	"time"

	"dhbot/internal/card"
)

// Purpose is the namespace of the signatures (see sshkey). A signature for `bot do` is valid for
// nothing else, and a signature for another purpose is not valid for `bot do`.
const Purpose = "terminal@dhbot"

const (
	maxBody    = 64 << 10         // bytes of a request; a command is much shorter
	maxCommand = 10_000           // bytes
	answerTime = 60 * time.Second // from challenge to signature; a hardware key waits for a touch
)

// ask is the first request of a client: the command, and the public keys that the client can sign
// with.
type ask struct {
	Command string   `json:"command"`
	As      string   `json:"as,omitempty"` // the name in the config, if the keys do not identify the person
	Keys    [][]byte `json:"keys"`         // public keys in SSH's binary form
}

// challenge answers an ask. The client must sign the result of words, which has the nonce, the
// person and the command, with the private half of Key.
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

// words returns the bytes to sign. The client computes them from the command that the person typed,
// so that no one between client and bot can substitute another command. Different requests have
// different bytes, because nonce and person contain no newline.
func words(nonce, person, command string) []byte {
	return []byte("dhbot terminal 1\n" + nonce + "\n" + person + "\n" + command)
}

// Event is one line of the answer, in JSON. It has exactly one of Text, File and End.
type Event struct {
	// Text is a card as plain text, with lines that end in "\n". If Live is set, the next event
	// with Live replaces this text.
	Text string `json:"text,omitempty"`
	Live bool   `json:"live,omitempty"`
	// Run and State are the id and the state of a run, if Text shows a run.
	Run   string `json:"run,omitempty"`
	State string `json:"state,omitempty"`
	// Facts has the content of Text as data.
	Facts *card.Facts `json:"facts,omitempty"`
	File  *File       `json:"file,omitempty"`
	// End is set only in the last event.
	End *End `json:"end,omitempty"`
}

// File is a file in the answer. In Slack it would be an upload.
type File struct {
	Name    string `json:"name"`
	Title   string `json:"title,omitempty"`
	Content string `json:"content"`
}

// End is how a command ended.
type End struct {
	// OK means success. A command that requests a run succeeds if the run ends as done. Any other
	// command succeeds if it was allowed and answered.
	OK    bool   `json:"ok"`
	Run   string `json:"run,omitempty"`
	State string `json:"state,omitempty"` // engine.State of Run
	Why   string `json:"why,omitempty"`
	// Unsure means that the command failed, and may have done something before.
	Unsure bool `json:"unsure,omitempty"`
	// Confirm means that nothing ran, because the person must confirm. To confirm, the client sends
	// the command again after YesPrefix, or sends RunPrefix and Proposal to run exactly the plan
	// that was shown.
	Confirm  bool   `json:"confirm,omitempty"`
	Proposal string `json:"proposal,omitempty"`
}

// These prefixes of a command are part of the signed bytes. YesPrefix runs the command without a
// question. RunPrefix is followed by the id of a plan that was shown, instead of a command.
const (
	YesPrefix = "--yes "
	RunPrefix = "--run "
)
