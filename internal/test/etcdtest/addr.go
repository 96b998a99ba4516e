package etcdtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// FreeAddr returns an address on host, a loopback address, whose port was free a moment ago. The
// port is below the range for outgoing connections, so that none takes it by chance.
func FreeAddr(t testing.TB, host string) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("%s:%d", host, 10_000+rand.IntN(22_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}
