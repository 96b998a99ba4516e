package engine

// Helpers of this package's internal tests that package engine_test also uses.
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
