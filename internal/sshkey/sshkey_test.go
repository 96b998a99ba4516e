package sshkey

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dhbot/internal/test/keytest"
	"dhbot/internal/test/testenv"
)

const purpose = "test@dhbot"

// keygen makes a private key file with ssh-keygen.
func keygen(t *testing.T, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	out, err := exec.Command(testenv.Program(t, "ssh-keygen"), append([]string{"-q", "-f", path, "-C", "somebody"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ssh-keygen: %v: %s", err, out)
	}
	return path
}

func signer(t *testing.T) Signer {
	t.Helper()
	path, _ := keytest.File(t)
	s, err := File(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignatureHoldsForItsWordsOnly(t *testing.T) {
	s := signer(t)
	sig, err := s.Sign(purpose, []byte("restart db_dis"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := Verify(sig, purpose, []byte("restart db_dis"))
	if err != nil || !key.Equal(s.Key()) {
		t.Fatalf("verified with the key %v, %v, want the key of the signer", key, err)
	}
	if _, err := Verify(sig, purpose, []byte("restart db_ltds")); err == nil {
		t.Error("valid for another message")
	}
	if _, err := Verify(sig, "file", []byte("restart db_dis")); err == nil {
		t.Error("valid for another purpose")
	}
	if _, err := Verify(sig, "", []byte("restart db_dis")); err == nil {
		t.Error("valid without a purpose")
	}
	// The envelope names another key, but the first key made the signature.
	other := signer(t).Key().Wire()
	swapped := bytes.Replace(sig, s.Key().Wire(), other, 1)
	if _, err := Verify(swapped, purpose, []byte("restart db_dis")); err == nil {
		t.Error("valid for another key")
	}
	for i := range sig {
		changed := bytes.Clone(sig)
		changed[i] ^= 1
		if _, err := Verify(changed, purpose, []byte("restart db_dis")); err == nil {
			t.Errorf("valid with byte %d changed", i)
		}
	}
}

// TestOpenSSHAgrees: for every common type of key, ssh-keygen verifies the signatures of this
// package, and this package verifies the signatures of ssh-keygen.
func TestOpenSSHAgrees(t *testing.T) {
	message := []byte("restart db_dis disk was full\n")
	for _, args := range [][]string{{"-t", "ed25519"}, {"-t", "ecdsa", "-b", "384"}, {"-t", "rsa", "-b", "2048"}} {
		t.Run(args[1], func(t *testing.T) {
			path := keygen(t, append(args, "-N", "")...)
			s, err := File(path)
			if err != nil {
				t.Fatal(err)
			}
			sig, err := s.Sign(purpose, message)
			if err != nil {
				t.Fatal(err)
			}
			public, err := os.ReadFile(path + ".pub")
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			allowed, armoured := filepath.Join(dir, "allowed"), filepath.Join(dir, "sig")
			if err := os.WriteFile(allowed, append([]byte("anna "), public...), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(armoured, pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: sig}), 0o600); err != nil {
				t.Fatal(err)
			}
			verify := exec.Command(testenv.Program(t, "ssh-keygen"), "-Y", "verify", "-f", allowed, "-I", "anna", "-n", purpose, "-s", armoured)
			verify.Stdin = bytes.NewReader(message)
			if out, err := verify.CombinedOutput(); err != nil {
				t.Fatalf("ssh-keygen does not verify this package's signature: %v: %s", err, out)
			}
			sign := exec.Command(testenv.Program(t, "ssh-keygen"), "-Y", "sign", "-f", path, "-n", purpose)
			sign.Stdin = bytes.NewReader(message)
			out, err := sign.Output()
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode(out)
			if block == nil {
				t.Fatalf("no signature: %s", out)
			}
			if key, err := Verify(block.Bytes, purpose, message); err != nil || !key.Equal(s.Key()) {
				t.Errorf("this package does not verify ssh-keygen's signature: %v, %v", key, err)
			}
			if k, err := Parse(string(public)); err != nil || !k.Equal(s.Key()) {
				t.Errorf("parsed %v, %v, want the key of the signer", k, err)
			}
		})
	}
}

func TestAgentSigns(t *testing.T) {
	socket := agentWith(t, keygen(t, "-t", "ed25519", "-N", ""), keygen(t, "-t", "rsa", "-b", "2048", "-N", ""))
	a, err := DialAgent(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	list, err := a.Signers()
	if err != nil || len(list) != 2 {
		t.Fatalf("%d keys, %v", len(list), err)
	}
	for _, s := range list {
		sig, err := s.Sign(purpose, []byte("status"))
		if err != nil {
			t.Fatal(err)
		}
		if key, err := Verify(sig, purpose, []byte("status")); err != nil || !key.Equal(s.Key()) || s.Name() != "somebody" {
			t.Errorf("%s: %v, %v", s.Name(), key, err)
		}
	}
}

// agentWith starts an ssh-agent that holds keys.
func agentWith(t *testing.T, keys ...string) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	cmd := exec.Command(testenv.Program(t, "ssh-agent"), "-D", "-a", socket)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if _, err := out.Read(make([]byte, 1)); err != nil { // it listens before it prints its address
		t.Fatal(err)
	}
	for _, k := range keys {
		add := exec.Command(testenv.Program(t, "ssh-add"), "-q", k)
		add.Env = append(os.Environ(), "SSH_AUTH_SOCK="+socket)
		if out, err := add.CombinedOutput(); err != nil {
			t.Fatalf("ssh-add: %v: %s", err, out)
		}
	}
	return socket
}

func TestWhatIsNotTaken(t *testing.T) {
	weak, err := os.ReadFile(keygen(t, "-t", "rsa", "-b", "1024", "-N", "") + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(keygen(t, "-t", "ed25519", "-N", "") + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	for name, line := range map[string]string{
		"weak": string(weak), "empty": "", "words": "ssh-ed25519 somebody", "options": `command="true" ` + string(good),
		"two": string(good) + string(good), "private": "-----BEGIN OPENSSH PRIVATE KEY-----",
	} {
		if k, err := Parse(line); err == nil {
			t.Errorf("%s: accepted as %s", name, k)
		}
	}
	if _, err := File(keygen(t, "-t", "ed25519", "-N", "secret")); !errors.Is(err, ErrLocked) {
		t.Errorf("a key with a passphrase: %v", err)
	}
	open := keygen(t, "-t", "ed25519", "-N", "")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := File(open); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others can read: %v", err)
	}
	if (Key{}).Equal(Key{}) {
		t.Error("no key equals no key")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte("SSHSIG\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, sig []byte) {
		if k, err := Verify(sig, purpose, []byte("restart db_dis")); err == nil {
			t.Fatalf("accepted invalid bytes as a signature of %s", k)
		}
	})
}
