package card

// ChangesStopped reports why a replica no longer accepts changes.
func ChangesStopped(replica, why string) Card {
	const what = "No changes accepted: the stored history does not match"
	return Card{
		Push: "🔴 " + what,
		Head: Line{T("🔴 "), B(what)},
		Body: []Element{Text{Lines: []Line{
			{T("Replica "), B(replica), T(" accepts no changes: " + why + ".")},
			{T("Reads are answered but not recorded. Keep a copy of the state, find the first entry that differs with `bot audit verify`, " +
				"restore the right state, and start the bot again.")},
		}}},
	}
}
