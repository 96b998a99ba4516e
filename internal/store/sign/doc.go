// Package sign holds the key of the bot's state. With it the bot signs stored values and the
// heads of its trail. So someone who can write to the store, or has a copy of it, cannot make
// the bot act. The key is in a file outside the state directory and outside every backup.
package sign
