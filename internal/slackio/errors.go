package slackio

import (
	"errors"
	"fmt"

	"github.com/slack-go/slack"

	"dhbot/internal/poster"
)

// code is Slack's own word for what was wrong ("invalid_auth"), or "" where
// the error is of another kind.
func code(err error) string {
	var answer slack.SlackErrorResponse
	if errors.As(err, &answer) {
		return answer.Err
	}
	return ""
}

// fatal says that trying again cannot help, and what to do.
func fatal(err error) (advice string, yes bool) {
	switch code(err) {
	case "invalid_auth", "not_authed":
		return "the token is wrong: copy it again from the app's page", true
	case "token_revoked", "token_expired", "account_inactive":
		return "the token is no longer valid: make a new one on the app's page, or install the app again", true
	case "not_allowed_token_type":
		return "it is a token of another kind: the app token starts with xapp-, the bot token with xoxb-", true
	case "missing_scope", "no_permission":
		return "the token lacks a scope: add what `bot manifest` lists and install the app again", true
	case "team_disabled", "team_not_found", "org_login_required", "team_access_not_granted", "access_denied", "ekm_access_denied":
		return "the workspace does not let this app in: ask its administrators", true
	case "socket_mode_not_enabled":
		return "Socket Mode is off: switch it on on the app's page", true
	default:
		return "", false
	}
}

// refused says that Slack will not take blocks of a message as they are.
func refused(err error) bool {
	switch code(err) {
	case "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "block_mismatch":
		return true
	default:
		return false
	}
}

// hiccup says that the same call may well succeed a moment later: Slack, or
// the way there, is in trouble of its own.
func hiccup(err error) bool {
	switch code(err) {
	case "service_unavailable", "internal_error", "fatal_error", "request_timeout", "team_added_to_org":
		return true
	case "":
		return err != nil && !errors.Is(err, errStopped)
	default:
		return false
	}
}

// absent says that a message cannot be put where it should go, whatever it is.
func absent(err error) bool {
	switch code(err) {
	case "not_in_channel", "channel_not_found", "is_archived", "user_not_in_channel", "restricted_action",
		"restricted_action_read_only_channel", "messages_tab_disabled":
		return true
	default:
		return false
	}
}

// explain turns an answer of Slack's into an error that says what was tried;
// those that a poster goes by are marked.
func explain(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case absent(err):
		return fmt.Errorf("%s: %w: Slack says %w; invite the bot there", what, poster.ErrNoPlace, err)
	case code(err) == "message_not_found" || code(err) == "cant_update_message" || code(err) == "edit_window_closed":
		return fmt.Errorf("%s: %w: Slack says %w", what, poster.ErrGone, err)
	case code(err) != "":
		return fmt.Errorf("%s: Slack says %w", what, err)
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
}
