// Package outputcard renders the output of commands on hosts: short output in
// the card, long output as a file, a log with its most useful lines first. It is pure.
package outputcard
