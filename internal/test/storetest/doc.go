// Package storetest is the test suite that every store of the bot's state must
// pass.
package storetest
