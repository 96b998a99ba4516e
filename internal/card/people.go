package card

import (
	"fmt"
	"strings"
)

// Member is a person of the config and their roles in a cluster.
type Member struct {
	Person string
	Roles  []string
	// Gone says why every account of the person is refused, and is "" if at least one account is
	// accepted. Unknown means that the bot could not find out.
	Gone    string
	Unknown bool
}

// People lists the permissions of each person in a cluster. People without a working account come
// first.
func People(cluster string, list []Member) Card {
	var gone, unknown, active []Line
	for _, m := range list {
		l := Line{B(m.Person), T(" · " + strings.Join(m.Roles, ", "))}
		switch {
		case m.Unknown:
			unknown = append(unknown, append(Line{T("⚪ ")}, append(l, T(" · unknown: Slack did not answer"))...))
		case m.Gone != "":
			gone = append(gone, append(Line{T("🔴 ")}, append(l, T(" · no access: "+m.Gone))...))
		default:
			active = append(active, append(Line{T("🟢 ")}, l...))
		}
	}
	what := fmt.Sprintf("%d active", len(active))
	if len(gone) > 0 {
		what += fmt.Sprintf(", %d without access", len(gone))
	}
	if len(unknown) > 0 {
		what += fmt.Sprintf(", %d unknown", len(unknown))
	}
	return Card{
		Push: "People of " + cluster + " · " + what,
		Head: Line{B("People of " + cluster), T(" · " + what)},
		Body: Paragraphs(gone, unknown, active),
	}
}
