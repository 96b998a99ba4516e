package testenv

import "testing"

func TestFreeAddress(t *testing.T) {
	given := map[string]bool{}
	for range 500 {
		address := FreeAddress(t, "127.0.0.1")
		if given[address] {
			t.Fatalf("%s was returned twice", address)
		}
		given[address] = true
	}
}
