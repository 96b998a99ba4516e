// Package mutant removes rules from the bot, one at a time. For each removed rule a test
// must fail: without such a test, the rule could be lost unnoticed.
//
// A mutant is an exact edit of the source, applied by an overlay of the go
// command, which leaves the tree unchanged. list_test.go lists all mutants.
// TestApply checks in every test run that each edit still applies. TestKilled
// builds the mutants and runs their tests:
//
//	bash .ci/long mutants
//	DHBOT_MUTANTS='digest' go test -timeout 0 -v -run Killed ./internal/test/mutant
//
// The second command runs the mutants whose name contains one of the
// comma-separated texts; "all" means every mutant.
// Package faulttest uses such edits to build broken bots.
package mutant
