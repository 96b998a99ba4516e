// Package storetest is the one suite that every store of the bot's state has
// to pass. It is for tests only.
package storetest
