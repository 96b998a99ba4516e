// Package suggest finds the names that a person may have meant by a word that is
// none of them. It never guesses: a suggestion is only offered. The package is
// pure.
package suggest
