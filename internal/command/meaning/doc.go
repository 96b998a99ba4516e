// Package meaning decides whether the words after the target of a change alter what it
// means: a time, a condition, a negation, an exception, a second name, a place. Such a
// change is not run; the requester is asked. Other words are taken as the reason. The words
// of a time are in package words.
//
// A list of words is never complete. Whatever is missed here is text that the bot did not
// understand, and waits for an approval, or for the requester's own confirmation.
package meaning
