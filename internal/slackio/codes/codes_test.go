package codes

import "testing"

// Every code has exactly one class, and every refused token has advice.
func TestOf(t *testing.T) {
	for code, want := range map[string]Class{
		"ratelimited": Limited, "rate_limited": Limited, "expired_trigger_id": TapAgain, "restricted_action": NotAllowed,
		"is_archived": NoChannel, "not_in_channel": NoChannel, "msg_too_long": TooLong, "message_not_found": Gone,
		"token_revoked": Token, "account_inactive": Token, "missing_scope": Scope, "no_such_code": Unknown, "": Unknown,
	} {
		if got := Of(code); got != want {
			t.Errorf("%q is %d, want %d", code, got, want)
		}
	}
	for code, class := range classes {
		if advised := class == Token || class == Workspace || class == Scope; advised != (Advice(code) != "") {
			t.Errorf("%q: advice %q", code, Advice(code))
		}
	}
}
