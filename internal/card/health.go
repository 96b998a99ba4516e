package card

// Health shows the bot's own health, to the requester only.
func Health(well bool, lines []string) Card {
	sign, word := "✅ ", "Healthy"
	if !well {
		sign, word = "❌ ", "Not healthy"
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
