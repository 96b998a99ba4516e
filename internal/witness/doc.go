// Package witness keeps the signed heads of the trail where someone who can write to the store
// cannot change them: in a file next to the key, in files on other mounts, at an HTTP address.
// The head of a witness proves that a store was reset to an earlier time, or that the history
// of the store was rewritten.
package witness
