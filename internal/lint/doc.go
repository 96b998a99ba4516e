// Package lint reads runbook pages and reports two kinds of commands: commands that do not do
// what the page says, and commands that do harm when they are pasted unchanged. Examples are a
// restart of another process, a name unknown to the supervisor, a command that never ends, a
// placeholder that the shell treats as a redirection, and a difference between page and
// catalog.
//
// A page is Markdown, or text that has lost its fences and headings. In such text, lint
// looks for lines and parts of sentences that look like commands. It ignores text that it
// cannot parse as shell, to avoid false findings.
//
// # Files
//
//   - lint.go: the rules for one command, in order, with their names; the form of a finding
//   - rules_process.go: the wrong process, log or service; a command that is missing or
//     differs from the catalog
//   - rules_shell.go: what the shell or sudo does with a command as it is written; commands
//     without an end
//   - rules_harm.go: deletes, secrets, shared names, snapshots, commands that fail when
//     repeated
//   - page.go: which parts of a Markdown page are commands, and for which process
//   - plain.go: the same for a page that lost its Markdown; which programs a command may begin
//     with
//   - shell.go: parses a block as shell; commands, sudo's options, placeholders
//   - knowledge.go: names of processes, and commands, from the catalog
package lint
