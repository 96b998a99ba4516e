package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"dhbot/internal/secret"
	"dhbot/internal/strictyaml"
	"dhbot/internal/trusted"
)

// Load parses the config file and checks it against the environment: the files that it names, the
// secrets, and the addresses of the named hosts. The secrets come from env (os.Getenv), as
// SLACK_APP_TOKEN and SLACK_BOT_TOKEN, or from files named by SLACK_APP_TOKEN_FILE and
// SLACK_BOT_TOKEN_FILE. Relative paths in the file start at the file's own directory.
//
// It returns all problems at once. The config may be used only if none of them is fatal.
func Load(path string, env func(string) string) (*Config, strictyaml.Problems) {
	return load(path, func(b *builder) {
		b.config.Slack.AppToken = b.token(env, "SLACK_APP_TOKEN", "xapp-")
		b.config.Slack.BotToken = b.token(env, "SLACK_BOT_TOKEN", "xoxb-")
	})
}

// LoadWithoutTokens is like Load, but reads no Slack token. It is for commands that do not use
// Slack.
func LoadWithoutTokens(path string) (*Config, strictyaml.Problems) {
	return load(path, func(*builder) {})
}

func load(path string, tokens func(*builder)) (*Config, strictyaml.Problems) {
	data, problems := readFile(path)
	if problems != nil {
		return nil, problems
	}
	b := build(path, data)
	b.resolvePaths(filepath.Dir(path))
	b.checkFiles(filepath.Dir(path))
	b.checkPages()
	b.checkGroups()
	b.checkPrograms()
	b.own.checkWriters()
	if err := trusted.Source(path); err != nil {
		b.Add(strictyaml.Problem{File: path, What: err.Error() + ": another account could decide what the bot may do", Instead: closed})
	}
	tokens(b)
	b.checkStore(b.lookup())
	b.Problems.Sort()
	return &b.config, b.Problems
}

// LoadFile parses the config file with Parse, and checks no other file. The path of
// known_hosts starts at the directory of the file; other relative paths stay as they are.
func LoadFile(path string) (*Config, strictyaml.Problems) {
	data, problems := readFile(path)
	if problems != nil {
		return nil, problems
	}
	c, problems := Parse(path, data)
	c.SSH.KnownHosts = from(filepath.Dir(path), c.SSH.KnownHosts)
	return c, problems
}

func readFile(path string) ([]byte, strictyaml.Problems) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, strictyaml.Problems{{File: path, What: "the config cannot be read: " + reason(err), Instead: "name the file with --config (config.example.yaml is an example)"}}
	}
	return data, nil
}

// reason returns the text of an operating system's error without the path, because a problem
// already shows the path.
func reason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}

// closed is the advice about a file that other accounts could change.
const closed = "make root or the bot's user the owner of the file and of every directory above it, and run chmod go-w on all of them"

// kind is the purpose of a file, which determines its required mode.
type kind uint8

const (
	plainFile  kind = iota // must be readable
	privateKey             // only its owner may read it
	secretFile             // only its owner may read it; its content is a value of the config
	knownHosts             // only its owner may write it
	stateDir               // a directory; created at start if missing
)

// file is a path that the config names.
type file struct {
	strictyaml.Value
	is kind
	// into receives the content of the file if its kind is secretFile.
	into *secret.Text
}

// resolvePaths makes relative paths absolute.
func (b *builder) resolvePaths(dir string) {
	b.resolveSSH(dir)
	for _, e := range b.config.Escalations {
		if e.Page != nil {
			e.Page.CAFile = from(dir, e.Page.CAFile)
		}
	}
	if e := b.config.State.Etcd; e != nil {
		e.CAFile = from(dir, e.CAFile)
		e.CertFile = from(dir, e.CertFile)
		e.KeyFile = from(dir, e.KeyFile)
	}
}

func (b *builder) checkFiles(dir string) {
	// The store creates a missing key, and without the variable it would create it in the current
	// directory.
	if strings.HasPrefix(b.stateKey.Text(), credentialsPath) && os.Getenv("CREDENTIALS_DIRECTORY") == "" {
		b.stateKey.Problem("the variable CREDENTIALS_DIRECTORY is not set", "let systemd provide the key (LoadCredential=), or write the path of the file")
	}
	for _, f := range b.files {
		path := from(dir, f.Text())
		info, err := os.Stat(path)
		if f.is == stateDir {
			f.checkStateDir(info, err)
			continue
		}
		if err != nil || !info.Mode().IsRegular() {
			why := "it is not a file"
			if err != nil {
				why = reason(err)
			}
			f.Problem(fmt.Sprintf("%s cannot be read: %s", path, why), "write the path of a file that the bot's user can read")
			continue
		}
		f.check(path, info)
		if f.is == secretFile {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Problem(fmt.Sprintf("%s cannot be read: %s", path, reason(err)), "let the bot's user read it")
				continue
			}
			*f.into = secret.New(strings.TrimSpace(string(text)))
		}
	}
}

func (f file) check(path string, info fs.FileInfo) {
	switch f.is {
	case privateKey, secretFile:
		if err := trusted.Secret(path, info); err != nil {
			f.Problem(err.Error(), "chmod 600 "+path)
		}
	case knownHosts:
		if err := trusted.Source(path); err != nil {
			f.Problem(err.Error()+": another account could decide which host keys are trusted", closed)
		}
	}
	if info.Size() == 0 {
		f.Problem(path+" is empty", "write the content into the file, or name another file")
	}
}

// checkStateDir accepts a directory that does not exist yet.
func (f file) checkStateDir(info fs.FileInfo, err error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		f.Problem("the state directory cannot be accessed: "+reason(err), "let the bot's user own it")
	case !info.IsDir():
		f.Problem("this is not a directory", "set this to a directory that only the bot uses, such as /var/lib/dhbot")
	case info.Mode().Perm()&0o077 != 0:
		f.Problem(fmt.Sprintf("others can access the state directory (mode %04o)", info.Mode().Perm()), "chmod 700 "+f.Text())
	}
}

// token reads a Slack token from the environment or from the file that the environment names.
func (b *builder) token(env func(string) string, name, prefix string) secret.Text {
	problem := func(what, instead string) secret.Text {
		b.Add(strictyaml.Problem{File: "environment", Key: name, What: what, Instead: instead})
		return secret.Text{}
	}
	text, path := env(name), env(name+"_FILE")
	switch {
	case text != "" && path != "":
		return problem(name+" and "+name+"_FILE are both set", "set one of them")
	case strings.HasPrefix(path, "xapp-"), strings.HasPrefix(path, "xoxb-"):
		return problem(name+"_FILE is a token, not the path of a file", "set "+name+" to the token, or "+name+"_FILE to the path of a file that holds it")
	case path != "":
		data, err := os.ReadFile(path)
		if err != nil {
			return problem(fmt.Sprintf("%s_FILE: %s cannot be read: %s", name, path, reason(err)), "let the bot's user read it")
		}
		if info, err := os.Stat(path); err != nil || trusted.Secret(path, info) != nil {
			return problem(fmt.Sprintf("%s_FILE: others can read %s", name, path), "chmod 600 "+path)
		}
		text = string(data)
	case text == "":
		return problem("this is not set", "set "+name+", or "+name+"_FILE to the path of a file that holds it")
	}
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, prefix) || strings.ContainsAny(text, " \t\r\n") {
		return problem("this is not the right token: it must begin with "+prefix, "copy it from the app's page at api.slack.com")
	}
	return secret.New(text)
}

// lookupTime limits resolving all names.
const lookupTime = 3 * time.Second

// lookup resolves the host names that checkStore compares. Each name is resolved once, and all
// of them within lookupTime. A name that does not resolve is compared as written.
func (b *builder) lookup() resolve {
	if len(b.endpoints) == 0 {
		return literally // nothing to compare
	}
	names := map[string]bool{}
	collect := func(host string) []string { names[strings.ToLower(host)] = true; return nil }
	b.checkStore(collect)
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	found := map[string][]string{}
	for name := range names {
		wg.Go(func() {
			addresses, err := net.DefaultResolver.LookupHost(ctx, name)
			if err != nil {
				addresses = nil
			}
			mu.Lock()
			defer mu.Unlock()
			found[name] = append(addresses, name)
		})
	}
	wg.Wait()
	return func(host string) []string { return found[strings.ToLower(host)] }
}
