package etcdtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Env is the environment variable that enables tests with real etcd clusters. If it is not set,
// these tests are skipped. The tests build missing programs, which takes minutes.
const Env = "DHBOT_ETCD"

// Debian is the version of etcd in Debian's packages.
const Debian = "3.4"

// Versions returns the available versions.
func Versions() []string { return []string{Debian, "3.5.35", "3.6.16", "3.7.3"} }

// Tools has the paths of the programs of one etcd version.
type Tools struct {
	Version, Server, Ctl string
	Util                 string // etcdutl; "" before 3.5
}

// Find finds the programs of an etcd version.
func Find(t *testing.T, version string) Tools {
	t.Helper()
	if os.Getenv(Env) == "" {
		t.Skipf("%s=1 runs this against real clusters", Env)
	}
	if version == Debian {
		server, err := exec.LookPath("etcd")
		ctl, err2 := exec.LookPath("etcdctl")
		if err != nil || err2 != nil {
			t.Skip("Debian's etcd-server and etcd-client are not installed")
		}
		if out, err := exec.Command(server, "--version").Output(); err != nil || !strings.Contains(string(out), "etcd Version: 3.4.") {
			t.Skipf("the installed etcd is not version 3.4: %s", out)
		}
		return Tools{Version: version, Server: server, Ctl: ctl}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "dhbot", "etcd", version)
	tools := Tools{Version: version, Server: filepath.Join(dir, "etcd"), Ctl: filepath.Join(dir, "etcdctl"), Util: filepath.Join(dir, "etcdutl")}
	for _, program := range []string{tools.Server, tools.Ctl, tools.Util} {
		if _, err := os.Stat(program); err == nil {
			continue
		}
		build(t, version, dir)
		break
	}
	return tools
}

// build builds the programs of an etcd version in a separate module. `go install` with the path of
// such a program does not work, because its go.mod file contains replace directives.
func build(t *testing.T, version, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	module := t.TempDir()
	if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte("module build\n\ngo 1.26\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) {
		t.Helper()
		c := exec.Command("go", args...)
		c.Dir, c.Env = module, append(os.Environ(), "GOFLAGS=-mod=mod")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	const path = "go.etcd.io/etcd/"
	command("get", path+"server/v3@v"+version, path+"etcdctl/v3@v"+version, path+"etcdutl/v3@v"+version)
	command("build", "-o", filepath.Join(dir, "etcd"), path+"server/v3")
	command("build", "-o", filepath.Join(dir, "etcdctl"), path+"etcdctl/v3")
	command("build", "-o", filepath.Join(dir, "etcdutl"), path+"etcdutl/v3")
}
