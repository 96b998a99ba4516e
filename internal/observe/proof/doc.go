// Package proof decides whether a step of a run achieved its purpose, from what the host
// answered. An accepted request proves nothing. The proof is what the supervisor, the log or the
// list of processes shows afterwards. The package is pure.
//
// # Files
//
//   - verdict.go: the verdict on a command that was sent once, and on one read of a wait step
//   - wait.go: conditions about a process: restarted, running, stopped, ready
//   - gone.go: whether a process ended
//   - output.go: conditions about output, and the least free space before a file is written
//   - etcd.go: conditions about etcd
package proof
