// Package sign holds the key of the bot's state. The bot signs stored values and the heads of its
// trail with this key. Someone who can only write to the store, or has a copy of the store, cannot
// make the bot act. The key is in a file outside the state directory and outside every backup.
package sign
