package card

import (
	"dhbot/runbooks"
)

// SeverityIcon is the sign of a severity; the words always stand beside it.
func SeverityIcon(s runbooks.Severity) string {
	switch s {
	case runbooks.Critical:
		return "🔴"
	case runbooks.Moderate:
		return "🟠"
	case runbooks.Low:
		return "🟡"
	case runbooks.None:
		return "🟢"
	default:
		return "⚪"
	}
}

// LevelIcon is the sign of a level; of what is unknown it shows the level that
// it might be as well.
func LevelIcon(s, worstCase runbooks.Severity) string {
	if s == runbooks.Unknown && isLevel(worstCase) {
		return SeverityIcon(s) + SeverityIcon(worstCase)
	}
	return SeverityIcon(s)
}

// LevelWords are a level as people read it: "unknown, could be up to Sev 1 ·
// Critical".
func LevelWords(s, worstCase runbooks.Severity) string {
	if s == runbooks.Unknown && isLevel(worstCase) {
		return s.String() + ", could be up to " + worstCase.String()
	}
	return s.String()
}

func isLevel(s runbooks.Severity) bool { return s != runbooks.Unknown && s != runbooks.None }
