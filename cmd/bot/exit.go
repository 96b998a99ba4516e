package main

import (
	"errors"

	"dhbot/internal/engine"
	"dhbot/internal/local/localshell"
)

// Exit codes of the program.
const (
	exitDone    = 0
	exitFailed  = 1 // the operation failed, or the bot could not be reached
	exitMisuse  = 2 // the command line is wrong, or a file that it names
	exitRefused = 3 // nothing ran: not allowed, denied, expired, cancelled or not understood
	exitUnknown = 4 // fate unknown: check the target first
	exitConfirm = 5 // nothing ran yet: the same command with --yes runs it
)

// exitHelp is the list of exit codes in help texts.
const exitHelp = "Exit codes: 0 done; 1 failed; 2 misuse; 3 nothing ran (not allowed, denied,\n" +
	"expired, cancelled, not understood); 4 fate unknown; 5 confirmation needed, --yes runs it."

// coded is an error with its own exit code.
type coded struct {
	error
	code int
}

func (e coded) Unwrap() error { return e.error }

// misuse is an error in how a command was called, such as an unknown flag.
type misuse struct{ error }

func (e misuse) Unwrap() error { return e.error }

// exitCode is the exit code for an error.
func exitCode(err error) int {
	var (
		m misuse
		c coded
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &m):
		return exitMisuse
	case errors.As(err, &c):
		return c.code
	default:
		return exitFailed
	}
}

// codeOf is the exit code of a command that did not succeed.
func codeOf(end localshell.End) int {
	switch engine.State(end.State) {
	case engine.Unknown, engine.Closed:
		return exitUnknown
	case engine.Denied, engine.Expired, engine.Refused, engine.Cancelled:
		return exitRefused
	case "":
		switch {
		case end.Confirm:
			return exitConfirm
		case end.Unsure, end.Run != "": // a run whose state is not known
			return exitUnknown
		default:
			return exitRefused
		}
	default:
		return exitFailed
	}
}
