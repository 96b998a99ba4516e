// Package typos counts typing mistakes between a typed word and a known word.
package typos
