package card

import (
	"fmt"
	"time"
)

// maxCommand is how long a command may be to fit a button, in bytes.
const maxCommand = 2000

// Late offers what came too late to be done without asking: a command again,
// by a button; of a tap it says that its own button still stands. Nothing has
// been done.
func Late(age time.Duration, command string) Card {
	text := fmt.Sprintf("This reached me %s late, so I did nothing.", age.Round(time.Second))
	if command == "" || len(command) > maxCommand {
		text += " If you still want it, please do it again."
		return Card{Push: text, Head: Line{T("⌛ " + text)}, Private: true}
	}
	return Card{
		Push: text, Head: Line{T("⌛ " + text)}, Private: true,
		Body:    []Element{Text{Lines: []Line{{T("You asked for: "), C(command)}}}},
		Buttons: []Button{{Action: TapCommand, Label: "Do it now", Value: command, Style: Primary}},
	}
}
