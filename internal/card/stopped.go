package card

// ChangesStopped reports why a replica no longer accepts changes.
func ChangesStopped(replica, why string) Card {
	const what = "No changes accepted: the store is not as I left it"
	return Card{
		Push: "🔴 " + what,
		Head: Line{T("🔴 "), B(what)},
		Body: []Element{Text{Lines: []Line{
			{T("Replica "), B(replica), T(" accepts no changes: " + why + ".")},
			{T("Reads are answered but not recorded. Keep a copy of the state, find the first wrong entry with `bot audit verify`, " +
				"restore the right state, and start the bot again.")},
		}}},
	}
}
