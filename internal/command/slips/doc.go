// Package slips counts typing mistakes between what was typed and what may have
// been meant.
package slips
