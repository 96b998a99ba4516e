// Package notes stores facts that a replica must not forget when its store is reset to an earlier
// time: every sent step, and the highest revision counter of each run. They are in a file next to
// the key of the state. A step in the notes is never sent again. A run is not continued if its
// counter is lower than in the notes.
package notes
