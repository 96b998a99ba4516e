package card

import (
	"fmt"
	"time"

	"dhbot/internal/command"
)

// Late answers a command or tap that arrived too late and was not carried out. It offers a late
// command again as a button. For a late tap it says that the button still works.
func Late(age time.Duration, request *command.Fields) Card {
	text := fmt.Sprintf("This reached me %s late, so I did nothing.", age.Round(time.Second))
	if request == nil {
		text += " If you still want it, please tap again."
		return Card{Push: text, Head: Line{T("⌛ " + text)}, Private: true}
	}
	again := CommandTap("Do it now", *request)
	again.Style = Primary
	return Card{
		Push: text, Head: Line{T("⌛ " + text)}, Private: true,
		Body:    []Element{Text{Lines: []Line{{T("You asked for: "), C(request.Text())}}}},
		Buttons: []Button{again},
	}
}
