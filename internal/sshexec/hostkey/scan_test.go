package hostkey

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// TestScan checks that a scan finds the keys of a host, whatever their types, without a connection for
// each type that exists.
func TestScan(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	onCurve := func(c elliptic.Curve) *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	for _, c := range []struct {
		keys        []any
		want        []string
		connections int32
	}{
		{[]any{edwards, onCurve(elliptic.P256()), rsaKey}, []string{"ed25519", "ecdsa-sha2-nistp256", "rsa"}, 4},
		{[]any{onCurve(elliptic.P384())}, []string{"ecdsa-sha2-nistp384"}, 2},
		{[]any{onCurve(elliptic.P521())}, []string{"ecdsa-sha2-nistp521"}, 2},
	} {
		address, connections := serve(t, c.keys)
		keys, err := Scan(t.Context(), address, time.Minute)
		var types []string
		for _, k := range keys {
			types = append(types, k.Type)
		}
		if err != nil || !slices.Equal(types, c.want) || connections.Load() != c.connections {
			t.Errorf("%v over %d connections, %v, want %v over %d", types, connections.Load(), err, c.want, c.connections)
		}
	}
}

// serve starts an SSH server with these host keys. It counts the connections.
func serve(t *testing.T, keys []any) (address string, connections *atomic.Int32) {
	t.Helper()
	config := &ssh.ServerConfig{NoClientAuth: true}
	for _, key := range keys {
		signer, err := ssh.NewSignerFromKey(key)
		if err != nil {
			t.Fatal(err)
		}
		config.AddHostKey(signer)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections = new(atomic.Int32)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			_, _, _, _ = ssh.NewServerConn(conn, config) // fails, because a scan does not log in
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return l.Addr().String(), connections
}
