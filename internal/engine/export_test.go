package engine

// What the tests of package engine_test share with those in here.
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
