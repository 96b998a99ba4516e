package hostkey

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	ed25519Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG7xPwvpd9a7Gd7mGH7uSPLVQYF2ZpDPKUN9WMEbBDmk"
	ecdsaKey   = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg="
)

// Lines that OpenSSH skips are skipped, each with its number and the reason;
// the other lines are used.
func TestUsableLines(t *testing.T) {
	for line, why := range map[string]string{
		// Seen in practice.
		"oldhost 1024 35 143272250049166269737933547513323306924766577123720650722107527190659497169427": "SSH protocol 1",
		"10.0.0.9 sm2 AAAAA3NtMgAAAANzbTIAAABBBO==":                                                      "not known",
		"10.0.0.9 ssh-ed25519": "is missing",
		"10.0.0.9 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEwgwL9yYtW": "cut off",

		"10.0.0.9": "no key",
		"10.0.0.9 ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ":     "cut off",
		"10.0.0.9 ssh-ed448 AAAACXNzaC1lZDQ0OAAAADk=":         "not known",
		"10.0.0.9 ssh-rsa " + strings.Fields(ed25519Key)[1]:   "its key is ssh-ed25519",
		"@cert-authorities *.example.com " + ed25519Key:       "unknown marker",
		"@cert-authority @revoked x " + ed25519Key:            "damaged",
		"|2|abc|def " + ed25519Key:                            "hashed name of an unknown kind",
		"|1|JfKTdBh7rNbXkVAQCRp4OQoPfmI=|short " + ed25519Key: "hashed name is damaged",
		"[10.0.0.9 " + ed25519Key:                             "in brackets needs a port",
		"! " + ed25519Key:                                     "negation",
		"<<<<<<< HEAD":                                        "is missing",
		"10.0.0.9 ssh-ed25519 not!base64!":                    "damaged",
		"ssh-ed25519 " + strings.Fields(ed25519Key)[1]:        "is missing",
		strings.Repeat("x", 70_000):                           "no key",
	} {
		file := "# a comment\n\ngood " + ed25519Key + " somebody@somewhere\n" + line + "\n\t \nAlso-Good,10.0.0.8 " + ecdsaKey + "\n"
		clean, used, skipped := usableLines([]byte(file))
		if used != 2 || len(skipped) != 1 || skipped[0].Line != 4 || !strings.Contains(skipped[0].Why, why) {
			t.Errorf("%.60s: %d used, skipped %v; want %q", line, used, skipped, why)
		}
		path := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		skipped, without, err := Without(path, []Host{
			{Address: "good:22"}, {Address: "also-good:22"}, {Address: "ALSO-GOOD:22"}, {Address: "10.0.0.8:2222"},
			{Address: "10.0.0.7:22", Alias: "Good"}, {Address: "10.0.0.9:22"},
		})
		if err != nil || len(skipped) != 1 || len(without) != 1 || without[0].Address != "10.0.0.9:22" {
			t.Errorf("%.60s: skipped %v, without %v, %v", line, skipped, without, err)
		}
		if strings.Count(string(clean), "\n") != strings.Count(file, "\n") {
			t.Errorf("%.60s: the line numbers have changed", line)
		}
	}
}

// Valid lines are used: with hashes, wildcards, ports, markers, a byte order
// mark, or Windows line ends.
func TestValidLinesAreUsed(t *testing.T) {
	for _, line := range []string{
		"*.example.com,!bad.example.com " + ed25519Key,
		"[10.0.0.9]:2222 " + ed25519Key,
		"|1|JfKTdBh7rNbXkVAQCRp4OQoPfmI=|USECr3SWf1JUPsms5AqfD5QfxkM= " + ed25519Key,
		"@cert-authority *.example.com " + ed25519Key,
		"@revoked * " + ed25519Key,
		"\ufeffinfra-1 " + ed25519Key,
		"infra-1\t" + strings.ReplaceAll(ed25519Key, " ", "\t") + "\r",
		"fd00::1 " + ed25519Key,
	} {
		if _, used, skipped := usableLines([]byte(line + "\n")); used != 1 || len(skipped) != 0 {
			t.Errorf("%s: %d used, skipped %v", line, used, skipped)
		}
	}
}
