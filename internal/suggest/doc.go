// Package suggest finds known names that resemble an unknown word. A suggestion is only offered to
// a person, and never used by itself. The package is pure.
package suggest
