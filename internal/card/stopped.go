package card

// ChangesStopped reports why a replica no longer makes changes.
func ChangesStopped(replica, why string) Card {
	const what = "No changes: the stored history does not fit"
	return Card{
		Push: "🔴 " + what,
		Head: Line{T("🔴 "), B(what)},
		Body: []Element{Text{Lines: []Line{
			{T("Replica "), B(replica), T(" runs no changes: " + why + ".")},
			{T("Reads are answered, and not recorded. Keep a copy of the state, find out with `bot audit verify` from which entry on it differs, " +
				"put the right state back, and start the bot again.")},
		}}},
	}
}
