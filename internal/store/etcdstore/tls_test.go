package etcdstore_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"

	"dhbot/internal/secret"
	"dhbot/internal/store/etcdconn"
	"dhbot/internal/store/etcdstore"
)

// TestTLSAndUser uses an external cluster with TLS, client certificates, and a user who has access
// only to keys with the bot's prefix.
func TestTLSAndUser(t *testing.T) {
	t.Parallel()
	ca, cert, key := certificates(t)
	e := newEtcd(t, "https", "--cert-file="+cert, "--key-file="+key, "--trusted-ca-file="+ca, "--client-cert-auth")
	e.start(t)
	conf := etcdstore.Config{Endpoints: []string{e.client}, TLS: etcdconn.TLS{CA: ca, Cert: cert, Key: key}, Timeout: 2 * time.Second}

	open(t, conf) // before there are users
	enableAuth(t, e, ca, cert, key)
	conf.User, conf.Password, conf.Replica = "dhbot", secret.New("hunter2"), "second"
	s := open(t, conf)
	newRun(t, s)
	if rep := verify(t, s); rep.Entries != 1 {
		t.Errorf("trail of %d entries", rep.Entries)
	}
	conf.Password = secret.New("wrong")
	refused(t, conf)
	conf.Password, conf.Prefix = secret.New("hunter2"), "elsewhere/"
	refused(t, conf)
	conf.Prefix, conf.TLS = "", etcdconn.TLS{CA: ca}
	refused(t, conf)
}

func refused(t *testing.T, c etcdstore.Config) {
	t.Helper()
	c.Replica = "third"
	s, err := etcdstore.Open(t.Context(), c)
	if err == nil {
		s.Close()
		t.Fatal("a store was opened that should have been refused")
	}
	if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("the password shows: %v", err)
	}
	t.Log(err)
}

func enableAuth(t *testing.T, e *etcd, ca, cert, key string) {
	t.Helper()
	info := transport.TLSInfo{TrustedCAFile: ca, CertFile: cert, KeyFile: key}
	conf, err := info.ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{e.client}, TLS: conf, DialTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := t.Context()
	end := clientv3.GetPrefixRangeEnd(etcdstore.DefaultPrefix)
	for i, do := range []func() error{
		func() error { _, err := c.RoleAdd(ctx, "dhbot"); return err },
		func() error {
			_, err := c.RoleGrantPermission(ctx, "dhbot", etcdstore.DefaultPrefix, end, clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := c.UserAdd(ctx, "root", "r"); return err },
		func() error { _, err := c.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := c.UserAdd(ctx, "dhbot", "hunter2"); return err },
		func() error { _, err := c.UserGrantRole(ctx, "dhbot", "dhbot"); return err },
		func() error { _, err := c.AuthEnable(ctx); return err },
	} {
		if err := do(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

// certificates makes a CA, and a certificate that server and client share.
func certificates(t *testing.T) (ca, cert, key string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	caForm := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, caForm, caForm, &caKey.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, caForm, &leafKey.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	return write("ca.pem", "CERTIFICATE", caDER), write("cert.pem", "CERTIFICATE", leafDER), write("key.pem", "PRIVATE KEY", keyDER)
}
