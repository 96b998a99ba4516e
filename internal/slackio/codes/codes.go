package codes

// Class says how to handle an answer of Slack with ok:false.
type Class uint8

// The closed set of classes.
const (
	// Unknown is a code that this package does not know: it counts as a bug of the bot.
	Unknown Class = iota
	// Limited: too many calls. Retry after a pause.
	Limited
	// Again: Slack has an internal problem. Retry.
	Again
	// TapAgain: a form could not be opened, because the tap was too long ago or was already
	// used.
	TapAgain
	// NotAllowed: the channel accepts messages, but not from the bot.
	NotAllowed
	// NoChannel: the channel was deleted or archived, or the bot is not a member.
	NoChannel
	// TooLong: the message, or a part of it, exceeds Slack's limits.
	TooLong
	// Blocks: Slack rejects the blocks of the message.
	Blocks
	// Gone: the message to change no longer exists, or can no longer be changed.
	Gone
	// Scope: the token is valid and lacks a scope.
	Scope
	// Token: Slack refuses the token for every call.
	Token
	// Workspace: the workspace does not allow the app to make this call. For auth.test, and for
	// opening a connection, the refusal is permanent.
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

// Of is the class of a code; "" and unknown codes are Unknown.
func Of(code string) Class { return classes[code] }

// Advice is the fix for a token that is refused or lacks a scope; "" for other codes.
func Advice(code string) string {
	switch code {
	case "invalid_auth", "not_authed":
		return "the token is wrong: copy it again from the app's page"
	case "token_revoked", "token_expired", "account_inactive", "app_not_installed":
		return "the token is no longer valid: create a new token on the app's page, or install the app again"
	case "not_allowed_token_type":
		return "this is a token of another kind: the app token starts with xapp-, the bot token with xoxb-"
	case "missing_scope", "no_permission":
		return "the token lacks a scope: add what `bot manifest` lists and install the app again"
	case "socket_mode_not_enabled":
		return "Socket Mode is off: enable it on the app's page"
	}
	if class := Of(code); class == Token || class == Workspace {
		return "the workspace does not allow this app: ask its administrators"
	}
	return ""
}
