// Package notes stores, in a file next to the key of the state, facts that a replica must not
// forget when its store is reset to an earlier time: the highest revision counter of each run,
// and every sent step. A noted step is never sent again, and a run with a lower counter than
// the noted one is not continued.
package notes
