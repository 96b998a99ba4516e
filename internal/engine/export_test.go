package engine

// Helpers of the internal tests, exported for the tests in package engine_test.
var (
	TestStep    = step
	TestAsked   = asked
	Anna, Ben   = anna, ben
	Chris       = chris
	TestPolicy  = policy
	CheckEnding = checkEnding
)

// ReadsAsSecret is readsAsSecret.
var ReadsAsSecret = readsAsSecret
