// Package codes says what an error code of Slack's Web API means for the bot:
// what to try again, what to tell a person, and what ends a token. The codes
// are those of the methods' own documentation pages.
package codes

// Class is what is to be done about an answer with ok:false.
type Class uint8

// The closed set of classes.
const (
	// Unknown is a code that this package does not know: a mistake of ours
	// until it is known.
	Unknown Class = iota
	// Limited: too many calls. The same call may be made again after a pause.
	Limited
	// Again: Slack is in trouble of its own. The same call may be made again.
	Again
	// TapAgain: a form could not be opened, because too much time has passed
	// since the tap or it was used.
	TapAgain
	// NotAllowed: the channel takes messages, but not from the bot.
	NotAllowed
	// NoChannel: the channel is gone, archived, or the bot is not in it.
	NoChannel
	// TooLong: the message, or a part of it, is over Slack's limits.
	TooLong
	// Blocks: Slack does not take the blocks of the message.
	Blocks
	// Gone: the message to change is not there, or cannot be changed any more.
	Gone
	// Scope: the token is good and lacks a scope.
	Scope
	// Token: Slack does not take the token, whatever is asked for.
	Token
	// Workspace: the app may not do this there. Of auth.test and of opening a
	// connection it is the end.
	Workspace
)

var classes = map[string]Class{
	"ratelimited": Limited, "rate_limited": Limited, "message_limit_exceeded": Limited,

	"service_unavailable": Again, "internal_error": Again, "fatal_error": Again, "request_timeout": Again, "team_added_to_org": Again,
	"accesslimited": Again,

	"expired_trigger_id": TapAgain, "exchanged_trigger_id": TapAgain, "invalid_trigger_id": TapAgain, "trigger_exchanged": TapAgain,
	"trigger_expired": TapAgain, "view_not_found": TapAgain, "hash_conflict": TapAgain,

	"restricted_action": NotAllowed, "restricted_action_read_only_channel": NotAllowed, "restricted_action_thread_only_channel": NotAllowed,
	"restricted_action_thread_locked": NotAllowed, "restricted_action_non_threadable_channel": NotAllowed, "messages_tab_disabled": NotAllowed,
	"posting_to_general_channel_denied": NotAllowed, "cannot_reply_to_message": NotAllowed, "as_user_not_supported": NotAllowed,

	"not_in_channel": NoChannel, "channel_not_found": NoChannel, "is_archived": NoChannel, "user_not_in_channel": NoChannel,
	"cannot_dm_bot": NoChannel, "user_disabled": NoChannel, "is_inactive": NoChannel, "channel_is_archived": NoChannel,

	"msg_too_long": TooLong, "msg_blocks_too_long": TooLong, "view_too_large": TooLong, "metadata_too_large": TooLong, "too_long": TooLong,

	"invalid_blocks": Blocks, "invalid_blocks_format": Blocks, "block_mismatch": Blocks, "invalid_attachments": Blocks,

	"message_not_found": Gone, "cant_update_message": Gone, "edit_window_closed": Gone, "thread_not_found": Gone,

	"missing_scope": Scope, "no_permission": Scope,

	"invalid_auth": Token, "not_authed": Token, "token_revoked": Token, "token_expired": Token, "account_inactive": Token,
	"team_disabled": Token, "org_login_required": Token, "socket_mode_not_enabled": Token, "app_not_installed": Token,

	"not_allowed_token_type": Workspace, "team_not_found": Workspace, "team_access_not_granted": Workspace, "access_denied": Workspace,
	"ekm_access_denied": Workspace, "enterprise_is_restricted": Workspace, "two_factor_setup_required": Workspace,
}

// Of is the class of a code; "" and what is not known are Unknown.
func Of(code string) Class { return classes[code] }

// Advice is what to do about a token that is refused, or that lacks a scope;
// "" for other codes.
func Advice(code string) string {
	switch code {
	case "invalid_auth", "not_authed":
		return "the token is wrong: copy it again from the app's page"
	case "token_revoked", "token_expired", "account_inactive", "app_not_installed":
		return "the token is no longer valid: make a new one on the app's page, or install the app again"
	case "not_allowed_token_type":
		return "it is a token of another kind: the app token starts with xapp-, the bot token with xoxb-"
	case "missing_scope", "no_permission":
		return "the token lacks a scope: add what `bot manifest` lists and install the app again"
	case "socket_mode_not_enabled":
		return "Socket Mode is off: switch it on on the app's page"
	}
	if class := Of(code); class == Token || class == Workspace {
		return "the workspace does not let this app in: ask its administrators"
	}
	return ""
}
