// Package suggest finds the names that a person may have meant by an unknown word. A
// suggestion is only offered, never used. The package is pure.
package suggest
