package demo_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"dhbot/internal/test/labtest"
)

// TestLabBrokenEtcd breaks Deephaven's etcd in several ways. Each time the bot must report the
// observed state and repair the cluster. The test takes minutes, so it runs only in section lab
// of .ci/long.
func TestLabBrokenEtcd(t *testing.T) {
	if os.Getenv("DHBOT_LAB_ALL") == "" {
		t.Skip("DHBOT_LAB_ALL is unset: this takes minutes")
	}
	real := lab(t)
	for _, c := range []struct {
		name       string
		make, undo [][]string
		story      string
		between    [][]string // manual steps
		after      string
	}{
		{
			name:  "two of three dead",
			make:  [][]string{{"etcd", "query1", "stop"}, {"etcd", "query2", "stop"}},
			undo:  etcdAll("start", "--no-block"),
			story: twoDead,
		},
		{
			name:  "all dead",
			make:  etcdAll("stop"),
			undo:  etcdAll("start", "--no-block"),
			story: allDead,
		},
		{
			name:  "certificates expired",
			make:  onEvery("cp -n " + etcdCert + " /run/etcd.pem; cat > " + etcdCert + " <<'END'\n" + expired(t) + "END"),
			story: certificates,
			// No procedure replaces certificates, so a person has to do it.
			between: onEvery("cat /run/etcd.pem > " + etcdCert),
			undo:    onEvery("[ ! -e /run/etcd.pem ] || { cat /run/etcd.pem > " + etcdCert + "; rm /run/etcd.pem; systemctl restart --no-block dh-etcd; }"),
			after:   newCertificates,
		},
		{
			name:  "etcdctl unusable",
			make:  [][]string{shell("infra", "mv "+etcdctl+" "+etcdctl+".away"), {"etcd", "query1", "stop"}},
			undo:  [][]string{shell("infra", "[ ! -e "+etcdctl+".away ] || mv "+etcdctl+".away "+etcdctl), {"etcd", "query1", "start"}},
			story: unusable,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Cleanup(func() { controlAll(t, c.undo) })
			controlAll(t, c.make)
			play(t, real, c.story)
			controlAll(t, c.between)
			if c.after != "" {
				play(t, real, c.after)
			}
		})
	}
}

// expired returns a certificate of the etcd members. It expired yesterday, and the lab's authority
// signed it.
func expired(t *testing.T) string {
	t.Helper()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(os.Getenv(labtest.Env)), name))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(b)
		return block.Bytes
	}
	ca, err := x509.ParseCertificate(read("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(read("ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	old, err := x509.ParseCertificate(read("etcd.pem"))
	if err != nil {
		t.Fatal(err)
	}
	old.NotBefore, old.NotAfter = time.Now().AddDate(0, 0, -9), time.Now().AddDate(0, 0, -1)
	der, err := x509.CreateCertificate(rand.Reader, old, ca, old.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

const (
	etcdctl  = "/usr/illumon/latest/bin/etcdctl.sh"
	etcdCert = "/etc/etcd/dh/latest/ssl/etcd.pem"
	etcdKey  = "/etc/etcd/dh/latest/ssl/etcd.key"
)

func shell(host, script string) []string { return []string{"exec", host, "bash", "-c", script} }

// onEvery returns commands that run each script on every host. A script runs on all hosts before
// the next script begins.
func onEvery(scripts ...string) (out [][]string) {
	for _, script := range scripts {
		for _, host := range []string{"infra", "query1", "query2"} {
			out = append(out, shell(host, script))
		}
	}
	return out
}

// etcdAll starts or stops every member.
func etcdAll(action ...string) (out [][]string) {
	for _, host := range []string{"infra", "query1", "query2"} {
		out = append(out, append([]string{"exec", host, "systemctl"}, append(action, "dh-etcd")...))
	}
	return out
}

func controlAll(t *testing.T, commands [][]string) {
	t.Helper()
	for _, args := range commands {
		control(t, args...)
	}
}

const twoDead = `
operator: /dh etcd-health
expect 60s no quorum
operator: /dh status etcd on query1
expect 30s Sev 1
operator: /dh start etcd on query1 because the quorum is gone
expect 60s Approval needed .. start etcd
approver: approve
expect 240s ✅ Done .. start etcd
operator: /dh restart etcd on query2 because it is down as well
expect 60s Approval needed .. restart etcd
approver: approve
expect 240s ✅ Done .. restart etcd
operator: /dh etcd-health
expect 60s all 3 members are healthy
verify audit
`

const allDead = `
operator: /dh etcd-health
expect 60s no quorum
operator: /dh start etcd because all of it is down
expect 60s Approval needed
approver: approve
expect 240s ✅ Done .. start etcd
operator: /dh etcd-health
expect 60s all 3 members are healthy
verify audit
`

const certificates = `
operator: /dh etcd-health
expect 60s no quorum
operator: /dh restart etcd on query2 because of the certificates
expect 60s one more approval
operator: cancel
`

const newCertificates = `
operator: /dh restart etcd because its certificates are new
expect 60s Approval needed .. restart etcd
approver: approve
expect 400s ✅ Done .. restart etcd
operator: /dh etcd-health
expect 60s all 3 members are healthy
verify audit
`

const unusable = `
operator: /dh etcd-health
expect 60s etcdctl.sh
operator: /dh restart etcd on query2 because it lags
expect 60s one more approval
operator: /dh restart etcd on query1 because it is down
expect 60s Approval needed .. restart etcd .. query1
approver: approve
expect 500s ✅ Done .. restart etcd
verify audit
`
