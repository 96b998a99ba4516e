package lint

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/shell"

	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// knowledge is a catalog's data about processes and commands.
type knowledge struct {
	catalog  *catalogs.Catalog
	all      catalogs.Set
	names    map[string]string // a normalized title, id or alias → id
	commands []known
	cites    map[string]int // number of steps that cite a page, by its file name
}

// known is one command of the catalog.
type known struct {
	action string
	text   string // as a person would type it
	user   string // the account that it runs as; "" for the person's own
	key    string // program and first words, from keyOf
}

func learn(catalog *catalogs.Catalog, all catalogs.Set) (*knowledge, error) {
	k := &knowledge{catalog: catalog, all: all, names: map[string]string{}, cites: map[string]int{}}
	for _, p := range catalog.Processes() {
		for _, n := range append([]string{p.Title, p.ID, p.Service}, p.Aliases...) {
			if n = fold(n); n != "" && k.names[n] == "" {
				k.names[n] = p.ID
			}
		}
	}
	view, err := catalog.View()
	if err != nil {
		return nil, err
	}
	actions := slices.Clone(view.Actions)
	for _, p := range view.Processes {
		actions = append(actions, p.Actions...)
	}
	for _, a := range actions {
		for _, s := range a.Steps {
			page, _, _ := strings.Cut(s.Source, ":")
			k.cites[page]++
			if s.Kind != runbooks.Manual && s.Command != "" {
				k.command(a.Action, s.Command)
			}
		}
	}
	return k, nil
}

// command adds a command of the catalog. The variable parts of its text are in braces.
func (k *knowledge) command(action, text string) {
	words, err := shell.Fields(text, nil)
	if err != nil {
		return // text with only placeholders is not shell, so no command is compared with it
	}
	c := &call{}
	for _, w := range words {
		c.argv = append(c.argv, word{text: w})
	}
	c.takeSudo()
	k.commands = append(k.commands, known{action: action, text: text, user: c.user(), key: keyOf(c)})
}

// keyOf returns the program of a command and the plain words that directly follow it, without
// options. Two commands with the same key have the same effect.
func keyOf(c *call) string {
	key := c.program()
	for _, w := range c.args() {
		if !plainWord.MatchString(w.text) {
			break
		}
		key += " " + w.text
	}
	return key
}

var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// like returns the catalog's commands that have the same effect as a command of a page.
func (k *knowledge) like(c *call) (out []known) {
	key := keyOf(c)
	if !strings.Contains(key, " ") {
		return nil // a program name alone is too little
	}
	for _, n := range k.commands {
		if n.key == key {
			out = append(out, n)
		}
	}
	return out
}

// misused returns a command of the catalog if the call runs it through service(8). That is wrong,
// because service(8) expects the name of a service and a verb.
func (k *knowledge) misused(c *call) (known, bool) {
	if c.program() != "service" || len(c.operands()) < 2 {
		return known{}, false
	}
	tail := make([]string, 0, len(c.args()))
	for _, w := range c.args() {
		tail = append(tail, w.text)
	}
	i := slices.IndexFunc(k.commands, func(n known) bool { return strings.HasSuffix(n.text, "/"+strings.Join(tail, " ")) })
	if i < 0 {
		return known{}, false
	}
	return k.commands[i], true
}

var (
	inParens = regexp.MustCompile(`\([^)]*\)`)
	nonWord  = regexp.MustCompile(`[^a-z0-9]+`)
)

// fold normalizes a title, so that "Deephaven Merge Server Process" and "Merge Server" are equal,
// and "`etcd` Process" and "etcd" are equal.
func fold(s string) string {
	s = strings.ToLower(inParens.ReplaceAllString(s, ""))
	words := strings.Fields(nonWord.ReplaceAllString(s, " "))
	for len(words) > 1 && slices.Contains([]string{"the", "deephaven"}, words[0]) {
		words = words[1:]
	}
	for len(words) > 1 && slices.Contains([]string{"process", "table", "runbook", "runbooks"}, words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	return strings.Join(words, " ")
}

// titled returns the id of the process that a heading names, or "".
func (k *knowledge) titled(heading string) string { return k.names[fold(heading)] }

// named returns the id of the process with this title, id, service name or alias, or "".
func (k *knowledge) named(word string) string { return k.names[fold(word)] }

// mentioned returns the id of the process that a sentence names, or "". If there are several, the
// longest name counts.
func (k *knowledge) mentioned(sentence string) string {
	best, id := "", ""
	for name, p := range k.names {
		longer := len(name) > len(best) || len(name) == len(best) && name < best
		if longer && strings.Contains(" "+fold(sentence)+" ", " "+name+" ") {
			best, id = name, p
		}
	}
	return id
}

// service returns the process that the supervisor knows by this name, in this generation.
func (k *knowledge) service(name string) (*catalogs.Process, bool) { return serviceOf(k.catalog, name) }

func serviceOf(c *catalogs.Catalog, name string) (*catalogs.Process, bool) {
	for _, p := range c.Processes() {
		if p.Service == name {
			return &p, true
		}
	}
	return nil, false
}

// elsewhere returns the names of the other generations that have the service.
func (k *knowledge) elsewhere(name string) (out []string) {
	for _, c := range k.all {
		if _, ok := serviceOf(c, name); ok && c != k.catalog {
			out = append(out, c.Name)
		}
	}
	return out
}

// supervised parses a command for a supervisor. It returns the verb and the service, for example
// "restart" and "db_dis". ok is false for any other command.
func (c *call) supervised() (verb, service string, ok bool) {
	if p := c.program(); p != "monit" && p != "systemctl" {
		return "", "", false
	}
	ops := c.operands()
	if len(ops) != 2 ||
		!slices.Contains(
			[]string{"start", "stop", "restart", "status", "summary", "monitor", "unmonitor", "is-active", "show"}, ops[0].text,
		) {
		return "", "", false
	}
	return ops[0].text, strings.TrimSuffix(ops[1].text, ".service"), true
}

// pathWords are the absolute paths among the words.
func pathWords(words []word) (out []word) {
	for _, w := range words {
		if path.IsAbs(w.text) {
			out = append(out, w)
		}
	}
	return out
}
