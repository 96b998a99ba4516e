// Package sudoers makes the minimal sudoers file that allows the bot's account exactly the
// commands that a catalog may send to one host.
//
// A command with fixed words becomes one line. If a word has only a few possible values, each value
// has its own line. For any other variation, the line has a regular expression that is anchored at
// both ends, which needs sudo 1.9.10. The file never has wildcards, because in arguments they match
// blanks and slashes. So a single wildcard would allow any number of further arguments (sudoers(5),
// "Wildcards in command arguments"). For an older sudo, the file allows only a script, which
// compares commands with the same expressions (File.Wrapper).
//
// Sudo joins the arguments with blanks before it compares them, and cannot tell where an argument
// ends. So this package refuses a pattern that could match a blank. A fixed line allows the same
// text however it is split into arguments.
//
// Of the caller's environment, only variables that sudo checks (env_check) reach a command: by
// default the locale, the time zone and the terminal type. SETENV is never granted, and env_keep is
// emptied. The search path, the home and the working directory are fixed. If a command needs a
// variable, it sets it with the program env, whose arguments are part of the line.
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
