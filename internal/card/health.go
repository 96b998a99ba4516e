package card

// Health says how the bot itself is; only who asked sees it.
func Health(well bool, lines []string) Card {
	sign, word := "✅ ", "I am well"
	if !well {
		sign, word = "❌ ", "I am not well"
	}
	c := Card{Push: sign + word, Head: Line{T(sign), B(word)}, Private: true}
	var text []Line
	for _, l := range lines {
		text = append(text, Line{T(l)})
	}
	if len(text) > 0 {
		c.Body = append(c.Body, Text{Lines: text})
	}
	return c
}
