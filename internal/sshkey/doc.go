// Package sshkey signs messages with people's SSH keys, and verifies such signatures. The format is
// OpenSSH's SSHSIG (PROTOCOL.sshsig, the output of `ssh-keygen -Y sign` without the armour). It
// includes a namespace: a signature for one purpose is not valid for another, and can never be used
// as a login.
//
// # Files
//
//   - sshkey.go: which keys are accepted, the format of a signature, verifying
//   - signer.go: signs with an agent or a key file
//   - own.go: which keys of a person are tried
package sshkey
