// Package archive keeps in a directory what the state store no longer holds: sealed
// segments of the trail, and runs that ended long ago.
//
//	trail/FIRST-LAST.jsonl  a segment: an export of package audit, entries
//	                        FIRST to LAST, 16 digits each
//	runs/ID                 the stored bytes of an ended run
//
// A file appears whole or not at all: it is written under another name, made durable, and then
// renamed. The package verifies the segments that it reads: it compares each segment with its
// hashes and with the segment before it.
// Directories have mode 0700 and files 0600. Several replicas may share an archive, but only one
// replica writes at a time.
//
// Each process keeps an index of every segment in memory, so that a
// query reads only the lines that it returns. An index is made by verifying the
// segment, and is used only as long as the file is unchanged.
//
// # Files
//
//   - archive.go: the directory; how a file becomes whole and durable; runs
//   - segment.go: writing, verifying and reading segments; missing and damaged segments
//   - index.go: the index of one segment
//   - find.go: which indexes a query uses, when they are made and kept
//   - identity_linux.go, identity_other.go: how a changed file is detected
package archive
