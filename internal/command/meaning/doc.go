// Package meaning decides whether the words after the target of a change alter what the
// change means: a time, a condition, a negation, an exception, a second name, a place. Such
// a change is not run; the requester gets a question. Other words are taken as the reason.
// The words that mean a time are in package words.
//
// A list of words is never complete. Words that this package misses become an unmarked
// reason, so the change still waits for an approval, or for the requester's own
// confirmation.
package meaning
