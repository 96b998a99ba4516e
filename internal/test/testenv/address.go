package testenv

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// FreeAddress returns an address on host, a loopback address, for a program that the test starts.
// No other call returns the same address while the test runs, also not in another process: until
// the test ends, the UDP port of the same number is in use. The port is below the range for
// outgoing connections, so that none of them takes it by chance.
func FreeAddress(t testing.TB, host string) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("%s:%d", host, 10_000+rand.IntN(22_000))
		reserved, err := net.ListenPacket("udp", address)
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			reserved.Close()
			continue
		}
		l.Close()
		t.Cleanup(func() { reserved.Close() })
		return address
	}
	t.Fatalf("no port of %s is free", host)
	return ""
}
