package cardtest

import (
	"time"

	"dhbot/auth"
	"dhbot/internal/card"
	"dhbot/internal/card/runcard"
)

// Sample is an example of a card. The name can be used as a file name.
type Sample struct {
	Name string
	Card card.Card
}

// now is the time at which all samples are made.
var now = time.Date(2026, 3, 14, 14, 7, 0, 0, time.UTC)

// Now returns the time at which all samples are made.
func Now() time.Time { return now }

// All returns every sample, in the order in which a reader would see them.
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

// The people of the samples have accounts in the demo's workspace.
const team = "T0DHLOCAL"

func account(user string) auth.Account { return auth.Account{Team: team, User: user} }

// FormSample is an example of a form. The name can be used as a file name.
type FormSample struct {
	Name string
	Form card.Form
}

// Forms returns an example of every form that the bot opens.
func Forms() []FormSample {
	wipe := destructive()
	return []FormSample{
		{"form-approve", runcard.TypeName(wipe)}, {"form-deny", runcard.WhyDeny(restart("db_dis", "infra-1"))},
		{"form-details", runcard.DetailsPage(called(), 0)}, {"form-details-first", runcard.DetailsPage(long(), 0)}, {"form-details-last", runcard.DetailsPage(long(), 99)},
	}
}
