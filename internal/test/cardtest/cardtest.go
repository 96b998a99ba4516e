package cardtest

import (
	"time"

	"dhbot/auth"
	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
)

// Sample is one card under a name that can be a file's.
type Sample struct {
	Name string
	Card card.Card
}

// Now is when all the samples were made.
var now = time.Date(2026, 3, 14, 14, 7, 0, 0, time.UTC)

// Now is the moment at which every sample was shown.
func Now() time.Time { return now }

// All returns every sample, in the order in which a reader meets them.
func All() []Sample {
	var out []Sample
	for _, list := range [][]Sample{
		statusSamples(), voteSamples(), remindSamples(), detailSamples(), runSamples(), endSamples(),
		wordSamples(), watchSamples(), handlingSamples(), windowSamples(),
	} {
		out = append(out, list...)
	}
	return out
}

// The people of the samples, with accounts of the demo's workspace.
const team = "T0DHLOCAL"

func account(user string) auth.Account { return auth.Account{Team: team, User: user} }

// FormSample is one form under a name that can be a file's.
type FormSample struct {
	Name string
	Form card.Form
}

// Forms returns every form that the bot opens.
func Forms() []FormSample {
	wipe := destructive()
	return []FormSample{
		{"form-approve", runcard.TypeName(wipe)}, {"form-deny", runcard.WhyDeny(restart("db_dis", "infra-1"))},
		{"form-details", runcard.DetailsPage(called(), 0)}, {"form-details-first", runcard.DetailsPage(long(), 0)}, {"form-details-last", runcard.DetailsPage(long(), 99)},
	}
}
