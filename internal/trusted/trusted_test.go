package trusted

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func put(t *testing.T, path string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSource(t *testing.T) {
	dir := t.TempDir()
	file := put(t, filepath.Join(dir, "a", "b", "file"), 0o644)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join("a", "b"), link); err != nil {
		t.Fatal(err)
	}
	linked := filepath.Join(link, "file")
	both := []string{file, linked}
	says := func(want string) {
		t.Helper()
		for _, path := range both {
			err := Source(path)
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", path, err, want)
			}
		}
	}
	mode := func(path string, m os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, m); err != nil {
			t.Fatal(err)
		}
	}
	says("")
	mode(file, 0o664)
	says("others can write " + file)
	mode(file, 0o640)
	mode(filepath.Join(dir, "a"), 0o777)
	says("others can write " + filepath.Join(dir, "a"))
	mode(filepath.Join(dir, "a"), 0o777|os.ModeSticky)
	says("")
	mode(filepath.Join(dir, "a"), 0o755)
	if os.Geteuid() != 0 {
		return
	}
	chown := func(path string, uid int) {
		t.Helper()
		if err := os.Lchown(path, uid, 0); err != nil {
			t.Fatal(err)
		}
	}
	chown(file, 4711)
	says("belongs to uid 4711")
	chown(file, 0)
	chown(filepath.Join(dir, "a", "b"), 4711)
	says("belongs to uid 4711")
	chown(filepath.Join(dir, "a", "b"), 0)
	chown(link, 4711)
	both = []string{linked}
	says("is a link of uid 4711")
}

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o440: false, 0o640: false, 0o644: false, 0o660: false} {
		path := put(t, filepath.Join(dir, "key"), mode)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := Secret(path, info); (err == nil) != ok {
			t.Errorf("mode %o: %v", mode, err)
		}
		t.Setenv(credentialsVariable, dir)
		if err := Secret(path, info); (err == nil) != (ok || mode == 0o440 || mode == 0o640) {
			t.Errorf("mode %o among the credentials: %v", mode, err)
		}
		t.Setenv(credentialsVariable, filepath.Join(dir, "elsewhere"))
		if err := Secret(path, info); (err == nil) != ok {
			t.Errorf("mode %o beside the credentials: %v", mode, err)
		}
		os.Unsetenv(credentialsVariable)
	}
}

// TestConfigMap checks a directory that looks as Kubernetes mounts it. The files are links into
// ..data, which is a link to the current directory. The modes of the directories let others write,
// but the mount is read-only.
func TestConfigMap(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "..2026_11_28_20_00_00.1")
	put(t, filepath.Join(data, "own.yaml"), 0o644)
	for link, to := range map[string]string{"..data": filepath.Base(data), "own.yaml": "..data/own.yaml"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{dir, data} {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "own.yaml")
	if err := Source(file); err == nil {
		t.Error("open to others, and accepted")
	}
	if out, err := exec.Command("mount", "--bind", "-o", "ro", dir, dir).CombinedOutput(); err != nil {
		t.Skipf("no mount here: %v %s", err, out)
	}
	defer exec.Command("umount", dir).Run() //nolint:errcheck // what is left goes with the machine
	if err := Source(file); err != nil {
		t.Errorf("read-only, and refused: %v", err)
	}
}
