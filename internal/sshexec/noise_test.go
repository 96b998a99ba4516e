package sshexec

import (
	"testing"
	"time"

	"dhbot/internal/remote"
	"dhbot/internal/sshroute"
	"dhbot/internal/test/sshdtest"
)

// TestWithoutNoise checks that only what the login shell prints before every answer is removed.
func TestWithoutNoise(t *testing.T) {
	const greeting = "NOTICE: maintenance\nIt is 02:13:07, up 9 days\n"
	for name, tt := range map[string]struct{ noise, out, want, taken string }{
		"no noise":               {"", "a\nb\n", "a\nb\n", ""},
		"the same":               {"NOTICE\n", "NOTICE\na\n", "a\n", "NOTICE\n"},
		"once":                   {"NOTICE\n", "NOTICE\nNOTICE\n", "NOTICE\n", "NOTICE\n"},
		"later":                  {greeting, "NOTICE: maintenance\nIt is 14:05:59, up 10 days\n/db/a\n", "/db/a\n", "NOTICE: maintenance\nIt is 14:05:59, up 10 days\n"},
		"nothing after it":       {greeting, greeting, "", greeting},
		"another text":           {greeting, "NOTICE: all is well\nIt is 14:05:59, up 10 days\n", "NOTICE: all is well\nIt is 14:05:59, up 10 days\n", ""},
		"only a part of it":      {greeting, "NOTICE: maintenance\n", "NOTICE: maintenance\n", ""},
		"none of it":             {"NOTICE\n", "/db/a\n", "/db/a\n", ""},
		"without an end of line": {"> ", "> a\n", "a\n", "> "},
		"no output":              {"NOTICE\n", "", "", ""},
	} {
		r := remote.Result{Stdout: remote.Output{Head: []byte(tt.out), Tail: []byte("tail"), Total: int64(len(tt.out) + 4)}}
		withoutNoise(&r, tt.noise)
		if got := r.Stdout.String(); got != tt.want+"tail" || r.Noise != tt.taken || r.Stdout.Truncated() {
			t.Errorf("%s: %q without %q", name, got, r.Noise)
		}
	}
}

// TestNoisyLoginShell checks a login shell that prints something before every answer. The output
// must be only what the command printed, because lists, sizes and hashes depend on it.
func TestNoisyLoginShell(t *testing.T) {
	for name, noise := range map[string]string{
		"a greeting": `echo NOTICE: maintenance on Sunday; `,
		"the time":   `date "+It is %s %N"; `,
		"an error":   `echo "bash: warning: setlocale" >&2; `,
	} {
		t.Run(name, func(t *testing.T) {
			s := sshdtest.Start(t, `ForceCommand `+noise+`exec /bin/bash -c "$SSH_ORIGINAL_COMMAND"`)
			p := openConfig(t, Config{Credentials: sshroute.Keys(s.KeyFile), KnownHosts: s.KnownHosts})
			for range 3 {
				r := run(t, p, remote.Command{Host: "h", Address: s.Address, Login: s.Login, Sent: `printf '%s\n' /db/a /db/b`, Timeout: 20 * time.Second})
				if r.Outcome != remote.Answered || r.Stdout.String() != "/db/a\n/db/b\n" {
					t.Errorf("%v, %s: %q", r.Outcome, r.Detail, r.Stdout.String())
				}
			}
		})
	}
}
