// Package mutant takes rules out of the bot, one at a time, and wants a test to
// turn red: a rule whose loss no test sees can be lost.
//
// A Mutant is an exact edit of the source, applied by an overlay of the go
// command, so that the tree stays as it is. list_test.go has them all. TestApply, in
// every run of the tests, checks that each edit still fits the source. TestKilled
// builds and runs them:
//
//	bash .ci/long mutants
//	DHBOT_MUTANTS='digest' go test -timeout 0 -v -run Killed ./internal/test/mutant
//
// The second form plays those whose name contains one of the texts, with commas
// between; "all" means every one.
// Package faulttest uses the same edits for whole bots that are broken on purpose.
package mutant
