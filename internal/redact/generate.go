//go:build ignore

// Command generate writes gitleaks.tsv from the rule data of gitleaks, a maintained set of the
// formats of tokens and keys:
//
//	go generate ./internal/redact
//
// It leaves out the generic rule, because that rule matches ordinary words, and the rule for whole
// files. It also leaves out rules whose keyword is common in logs, if this package has a format of
// its own for the same secrets.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

const module = "github.com/zricethezav/gitleaks/v8@v8.30.1"

var leftOut = []string{"generic-api-key", "pkcs12-file", "private-key", "jwt", "curl-auth-user", "curl-auth-header"}

type rule struct {
	ID          string
	Regex       string
	Entropy     float64
	SecretGroup int
	Keywords    []string
}

func main() {
	log.SetFlags(0)
	out, err := exec.Command("go", "mod", "download", "-json", module).Output()
	check(err)
	var got struct{ Dir string }
	check(json.Unmarshal(out, &got))
	license, err := os.ReadFile(filepath.Join(got.Dir, "LICENSE"))
	check(err)
	check(os.WriteFile("gitleaks.LICENSE", license, 0o644))
	var set struct{ Rules []rule }
	_, err = toml.DecodeFile(filepath.Join(got.Dir, "config", "gitleaks.toml"), &set)
	check(err)
	var b strings.Builder
	fmt.Fprintf(&b, "# Rule data of %s (see gitleaks.LICENSE), made by generate.go: id, keywords, entropy, group, expression.\n", module)
	for _, r := range set.Rules {
		if slices.Contains(leftOut, r.ID) {
			continue
		}
		r.Keywords = slices.DeleteFunc(r.Keywords, func(k string) bool { return k == "s." })
		regexp.MustCompile(r.Regex)
		if len(r.Keywords) == 0 || strings.ContainsAny(r.Regex, "\t\n") {
			log.Fatalf("the rule %s has a form that this command does not know", r.ID)
		}
		entropy := strconv.FormatFloat(r.Entropy, 'g', -1, 64)
		fmt.Fprintln(&b, strings.Join([]string{r.ID, strings.Join(r.Keywords, ","), entropy, strconv.Itoa(r.SecretGroup), r.Regex}, "\t"))
	}
	check(os.WriteFile("gitleaks.tsv", []byte(b.String()), 0o644))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
