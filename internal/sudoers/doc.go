// Package sudoers makes the minimal sudoers file that allows the bot's account exactly the
// commands that a catalog may send to one host.
//
// A command with fixed words becomes one line. If a word has only a few possible values, each
// value has its own line. For any other variation the line has a regular expression anchored
// at both ends, which needs sudo 1.9.10. There are never wildcards: in arguments they match
// blanks and slashes, so one wildcard allows any number of further arguments (sudoers(5),
// "Wildcards in command arguments"). For an older sudo the file allows only one script, which
// compares commands with the same expressions (File.Wrapper).
//
// Sudo compares arguments joined by blanks, and cannot tell where an argument ends. So a
// pattern that could match a blank is refused here. A fixed line allows the same text however
// it is split into arguments.
//
// Of the caller's environment only the locale reaches a command: SETENV is never granted,
// env_keep is emptied, and the search path, the home and the working directory are fixed. A
// command sets a variable with env, whose words are part of the line.
//
// # Files
//
//   - sudoers.go: options; the rule of each command, and which commands are left out
//   - invocation.go: which forms of sudo in a catalog are understood; how many lines one
//     command may take
//   - words.go: arguments in the syntax of sudoers, and what is refused in them
//   - ere.go: patterns as POSIX regular expressions
//   - wrapper.go: the script for a sudo without regular expressions; how sudo's version is
//     read
//   - write.go: the text of the file: its comments, the settings of the account (Defaults)
package sudoers
