// Package sshkey signs messages with people's SSH keys, and verifies such signatures. The format is
// OpenSSH's SSHSIG (PROTOCOL.sshsig, the output of `ssh-keygen -Y sign` without the armour). It
// includes a namespace: a signature for one purpose is not valid for another, and can never be used
// as a login.
package sshkey
