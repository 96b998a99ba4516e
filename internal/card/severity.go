package card

import (
	"dhbot/runbooks"
)

// SeverityIcon returns the sign of a severity; cards always show its text too.
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

// LevelIcon returns the sign of a level. The sign of an unknown level includes the worst possible
// level.
func LevelIcon(s, worstCase runbooks.Severity) string {
	if s == runbooks.Unknown && isLevel(worstCase) {
		return SeverityIcon(s) + SeverityIcon(worstCase)
	}
	return SeverityIcon(s)
}

// LevelWords returns the text of a level: "unknown, could be up to Sev 1 ·
// Critical".
func LevelWords(s, worstCase runbooks.Severity) string {
	if s == runbooks.Unknown {
		return s.String() + UpTo(worstCase)
	}
	return s.String()
}

// UpTo returns the end of an unknown level's text, such as ", could be up to Sev 1 · Critical".
// It returns "" if the worst possible level is none or unknown.
func UpTo(worstCase runbooks.Severity) string {
	if !isLevel(worstCase) {
		return ""
	}
	return ", could be up to " + worstCase.String()
}

func isLevel(s runbooks.Severity) bool { return s != runbooks.Unknown && s != runbooks.None }
