package sshconfig

import (
	"fmt"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dhbot/internal/sshroute"
)

// Host has the settings of one name. A setting that the file lacks is "".
type Host struct {
	HostName         string // the name itself if the file has no other
	Port             string
	User             string
	ProxyJump        string // as written; "none" is a direct connection
	Alias            string
	IdentityFiles    []string
	CertificateFiles []string
	IdentityAgent    string
	Algorithms       map[sshroute.Kind]Setting
}

// Setting is a value and where it was found.
type Setting struct {
	Text string
	File string
	Line int
}

// query is the state of looking up one name, with the result so far.
type query struct {
	name, login string // as requested; login is "" if the file decides
	account     string // the user if neither login nor the file decides
	host        Host
	jumped      bool // ProxyJump or ProxyCommand was found: the first one counts
}

// For returns the settings of a name. If the caller has decided on an account, it passes the
// account as login. The argument account is used if neither the caller nor the file decides.
func (f *File) For(name, login, account string) (Host, []Problem) {
	q := &query{name: name, login: login, account: account, host: Host{Algorithms: map[sshroute.Kind]Setting{}}}
	var problems []Problem
	active := true
	var outer []bool // of the including files: whether the Include line applies
	for _, l := range f.lines {
		around := !slices.Contains(outer, false)
		switch l.keyword {
		case begin:
			outer = append(outer, active)
		case end:
			active = outer[len(outer)-1]
			outer = outer[:len(outer)-1]
		case "host":
			active = around && matches(l.arguments, name)
		case "match":
			active = around && q.matches(l.arguments)
		default:
			if !active {
				continue
			}
			if err := q.take(l); err != nil {
				problems = append(problems, Problem{File: l.file, Line: l.number, What: err.Error(), Instead: "correct the line"})
			}
		}
	}
	if q.host.HostName == "" {
		q.host.HostName = name
	}
	return q.host, append(problems, q.expandFiles()...)
}

// matches reports whether a name matches one of the patterns, and matches none of the negated
// patterns.
func matches(patterns []string, name string) bool {
	found := false
	for _, p := range patterns {
		bare, negated := strings.CutPrefix(p, "!")
		if glob(bare, name) {
			if negated {
				return false
			}
			found = true
		}
	}
	return found
}

// glob matches * and ?, like OpenSSH's match_pattern.
func glob(pattern, text string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := 0; i <= len(text); i++ {
				if glob(pattern[1:], text[i:]) {
					return true
				}
			}
			return false
		case '?':
			if text == "" {
				return false
			}
		default:
			if text == "" || text[0] != pattern[0] {
				return false
			}
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}

// matches reports whether all criteria of a Match line hold.
func (q *query) matches(arguments []string) bool {
	for i := 0; i < len(arguments); i++ {
		word, negated := strings.CutPrefix(arguments[i], "!")
		criterion, value, joined := strings.Cut(word, "=")
		criterion = strings.ToLower(criterion)
		holds := true
		if criterion != "all" {
			if !joined {
				i++
				value = arguments[i]
			}
			holds = matches(strings.Split(value, ","), q.subject(criterion))
		}
		if holds == negated {
			return false
		}
	}
	return true
}

// subject returns the value that a criterion is compared with, as far as the lines so far decide
// it.
func (q *query) subject(criterion string) string {
	switch {
	case criterion == "user":
		return q.userSoFar()
	case criterion == "host" && q.host.HostName != "":
		return q.host.HostName
	default:
		return q.name
	}
}

func (q *query) userSoFar() string {
	for _, u := range []string{q.login, q.host.User} {
		if u != "" {
			return u
		}
	}
	return q.account
}

// take stores the value of a line. If a keyword occurs several times, the first value counts.
// Identity and certificate files are all kept.
func (q *query) take(l line) error {
	h, value := &q.host, l.arguments[0]
	first := func(to *string) {
		if *to == "" {
			*to = value
		}
	}
	switch l.keyword {
	case "hostname":
		name, err := expand(value, map[byte]string{'h': q.name, 'n': q.name})
		if h.HostName == "" {
			h.HostName = name
		}
		return err
	case "port":
		if n, err := strconv.ParseUint(value, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("%q is not a port", value)
		}
		first(&h.Port)
	case "user":
		first(&h.User)
	case "hostkeyalias":
		first(&h.Alias)
	case "identityagent":
		first(&h.IdentityAgent)
	case "proxyjump", "proxycommand":
		if !q.jumped {
			q.jumped, h.ProxyJump = true, value
		}
	case "identityfile":
		h.IdentityFiles = append(h.IdentityFiles, value)
	case "certificatefile":
		h.CertificateFiles = append(h.CertificateFiles, value)
	default:
		q.takeAlgorithms(l, value)
	}
	return nil
}

func (q *query) takeAlgorithms(l line, value string) {
	keyword := l.keyword
	if keyword == "pubkeyacceptedkeytypes" { // the name before OpenSSH 8.5
		keyword = strings.ToLower(string(sshroute.PublicKey))
	}
	for _, kind := range sshroute.Kinds() {
		if strings.ToLower(string(kind)) != keyword {
			continue
		}
		if _, taken := q.host.Algorithms[kind]; !taken {
			q.host.Algorithms[kind] = Setting{Text: value, File: l.file, Line: l.number}
		}
	}
}

// expandFiles expands ~ and % in the names of files.
func (q *query) expandFiles() []Problem {
	h := &q.host
	port := h.Port
	if port == "" {
		port = "22"
	}
	local := ""
	if me, err := user.Current(); err == nil {
		local = me.Username
	}
	tokens := map[byte]string{'d': home(), 'h': h.HostName, 'n': q.name, 'p': port, 'r': q.userSoFar(), 'u': local}
	var problems []Problem
	path := func(p *string) {
		if *p == "" || strings.EqualFold(*p, "none") || *p == "SSH_AUTH_SOCK" || strings.HasPrefix(*p, "$") {
			return
		}
		whole, err := expand(*p, tokens)
		if err != nil {
			problems = append(problems, Problem{What: fmt.Sprintf("%s: %v", *p, err), Instead: "write the path out"})
		}
		if rest, ok := strings.CutPrefix(whole, "~/"); ok {
			whole = filepath.Join(home(), rest)
		}
		*p = whole
	}
	for i := range h.IdentityFiles {
		path(&h.IdentityFiles[i])
	}
	for i := range h.CertificateFiles {
		path(&h.CertificateFiles[i])
	}
	path(&h.IdentityAgent)
	return problems
}

// expand replaces the % tokens of a value.
func expand(text string, tokens map[byte]string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			out.WriteByte(text[i])
			continue
		}
		i++
		switch {
		case i == len(text):
			return "", fmt.Errorf("%q ends in a %%", text)
		case text[i] == '%':
			out.WriteByte('%')
		default:
			value, known := tokens[text[i]]
			if !known {
				return "", fmt.Errorf("%%%c is not supported", text[i])
			}
			out.WriteString(value)
		}
	}
	return out.String(), nil
}
