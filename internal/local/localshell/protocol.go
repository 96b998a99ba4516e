package localshell

import (
	"time"

	"dhbot/internal/card"
)

// Purpose is the namespace of the signatures (sshkey): a signature for `bot do` is valid
// nowhere else, and a signature for another purpose is not valid here.
const Purpose = "terminal@dhbot"

const (
	maxBody    = 64 << 10         // bytes of a request; a command is much shorter
	maxCommand = 10_000           // bytes
	answerTime = 60 * time.Second // from challenge to signature; a hardware key waits for a touch
)

// ask is the first request: the person, the command, and the possible keys.
type ask struct {
	Command string   `json:"command"`
	As      string   `json:"as,omitempty"` // the name in the config, if the keys do not identify the person
	Keys    [][]byte `json:"keys"`         // public keys in SSH's binary form
}

// challenge is the answer: what to sign, with which key.
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

// words are the signed bytes. The client computes these bytes from the command that the
// person typed, so that no one between client and bot can have another command signed.
// Nonce and person contain no newline, and the command comes last, so the same bytes never
// stand for two different requests.
func words(nonce, person, command string) []byte {
	return []byte("dhbot terminal 1\n" + nonce + "\n" + person + "\n" + command)
}

// Event is one line of the answer, in JSON. One of Text, File and End is set.
type Event struct {
	// Text is a card as text, with lines that end in "\n". If Live is set, the text of the next
	// event with Live replaces this text.
	Text string `json:"text,omitempty"`
	Live bool   `json:"live,omitempty"`
	// Run and State are set with the text of a run.
	Run   string `json:"run,omitempty"`
	State string `json:"state,omitempty"`
	// Facts has the content of Text as data.
	Facts *card.Facts `json:"facts,omitempty"`
	File  *File       `json:"file,omitempty"`
	// End is set in the last event only.
	End *End `json:"end,omitempty"`
}

// File is a file that Slack would show as an upload.
type File struct {
	Name    string `json:"name"`
	Title   string `json:"title,omitempty"`
	Content string `json:"content"`
}

// End is how a command ended.
type End struct {
	// OK means that the request succeeded: a requested run ended as done; any other command was
	// allowed and answered.
	OK    bool   `json:"ok"`
	Run   string `json:"run,omitempty"`
	State string `json:"state,omitempty"` // engine.State of Run
	Why   string `json:"why,omitempty"`
	// Confirm means that nothing ran, and that the same command after YesPrefix runs it.
	// RunPrefix and Proposal run the plan that was shown, unless the plan has changed since.
	Confirm  bool   `json:"confirm,omitempty"`
	Proposal string `json:"proposal,omitempty"`
}

// Prefixes of a command, which are part of the signed bytes: YesPrefix runs without a question;
// RunPrefix precedes the id of the plan that was shown.
const (
	YesPrefix = "--yes "
	RunPrefix = "--run "
)
