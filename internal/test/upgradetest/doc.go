// Package upgradetest holds today's code to what released versions stored and
// were configured by. It has tests only; testdata has a directory for each
// version, with a README of what is in it.
package upgradetest
