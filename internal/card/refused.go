package card

// ConfigRefused reports that a new config is not in use.
func ConfigRefused(text string) Card {
	return Card{
		Push: "⚠️ New config refused", Head: Line{T("⚠️ "), B("New config refused")},
		Body: []Element{Text{Lines: []Line{{T(text)}}}},
	}
}
