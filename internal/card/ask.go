package card

// FieldMessage is the field of a tap TapAsk that has the text of the message on which a person
// used the shortcut.
const FieldMessage = "message"

// AskCommand returns the form in which a person types a command. The form opens from a shortcut
// on a message or in the search bar.
func AskCommand(prefilled string) Form {
	return Form{
		Action: TapAsk, Value: "command", Title: "What do you want?",
		Body: Paragraphs([]Line{{T("Type what you would type after the slash command: "), C("status db_dis"), T(", "), C("restart db_dis disk was full"), T(", or "), C("help")}}),
		Inputs: []Input{{
			Name: "text", Label: "Command", Initial: prefilled, Hint: "The answer comes in the message's thread, or as a direct message.",
		}},
		Submit: "Send", Typed: "help",
	}
}
