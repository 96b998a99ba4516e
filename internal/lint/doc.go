// Package lint reads runbook pages and reports two kinds of commands: those that do not do what
// the page says, and those that do harm when they are pasted unchanged. Examples are a restart
// of another process, a name unknown to the supervisor, a command that never ends, a
// placeholder that the shell treats as a redirection, and a difference between page and
// catalog.
//
// A page is Markdown, or text that lost its fences and headings: then lint looks for lines and
// parts of sentences that look like commands. It ignores text that it cannot parse as shell: a
// finding must be true.
package lint
