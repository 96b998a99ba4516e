package card

import "dhbot/internal/engine"

// AskedElsewhere says to who asked that a run is stored, where its message
// stands in another channel than the one they asked in.
func AskedElsewhere(r engine.Run) Card {
	what := r.ID + " is asked for: " + runTitle(r)
	return Card{
		Push: what, Head: Line{T("⏳ "), B(what)}, Private: true,
		Body: []Element{Text{Lines: []Line{
			{T("Its message, with the buttons, stands where those who may approve it look. "), C("show " + r.ID), T(" tells here how it is.")},
		}}},
	}
}
