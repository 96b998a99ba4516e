package slackio

import (
	"errors"
	"fmt"

	"github.com/slack-go/slack"

	"dhbot/internal/publish"
	"dhbot/internal/slackio/codes"
	"dhbot/internal/slackio/rate"
)

// code is Slack's error code ("invalid_auth"), or "" for any other error.
func code(err error) string {
	var answer slack.SlackErrorResponse
	if errors.As(err, &answer) {
		return answer.Err
	}
	return ""
}

// fatal reports whether the token cannot be used, with the fix.
func fatal(err error) (advice string, yes bool) {
	switch c := code(err); codes.Of(c) {
	case codes.Token, codes.Workspace, codes.Scope:
		return codes.Advice(c), true
	default:
		return "", false
	}
}

// refused reports whether Slack rejected the blocks of a message.
func refused(err error) bool {
	class := codes.Of(code(err))
	return class == codes.Blocks || class == codes.TooLong
}

// transient reports whether the same call may succeed a moment later, because Slack or the network
// has a problem.
func transient(err error) bool {
	if c := code(err); c != "" {
		return codes.Of(c) == codes.Again
	}
	return err != nil && !errors.Is(err, rate.ErrStopped)
}

// explain converts an answer of Slack into an error that names the attempted operation. It wraps
// publish.ErrNoPlace or publish.ErrGone if that is the cause.
func explain(what string, err error) error {
	var answer slack.SlackErrorResponse
	if !errors.As(err, &answer) {
		if err == nil {
			return nil
		}
		return fmt.Errorf("%s: %w", what, err)
	}
	switch codes.Of(answer.Err) {
	case codes.NoChannel, codes.NotAllowed:
		return fmt.Errorf("%s: %w: Slack answers %w", what, publish.ErrNoPlace, err)
	case codes.Gone:
		return fmt.Errorf("%s: %w: Slack answers %w", what, publish.ErrGone, err)
	case codes.Scope:
		if answer.Needed == "" {
			return fmt.Errorf("%s: Slack answers %w", what, err)
		}
		return fmt.Errorf("%s: Slack answers %w: the call needs %s, the token has %s", what, err, answer.Needed, answer.Provided)
	default:
		return fmt.Errorf("%s: Slack answers %w", what, err)
	}
}
