// Package upgradetest checks that the code still reads the state, the archive
// and the config of every released version. It has tests only; testdata has a
// directory for each version, with a README that lists its content.
package upgradetest
