package lint

import (
	"regexp"
	"slices"
	"strings"
)

// plain reads a page that has lost its Markdown. Consecutive command lines are one block; the
// line above the block is its label.
type plain struct {
	know   *knowledge
	lines  []string
	blocks []*block

	section, process, label string
	open                    *block // the block of the current command lines
}

var (
	bullet = regexp.MustCompile(`^\s*(?:(?:[•*-]|\d+\.|[a-z]\.)\s+)*`)
	level  = regexp.MustCompile(`^\|?\s*Level\s*\|`)
)

func (p *plain) read() {
	for i := 0; i < len(p.lines); i++ {
		no, raw := i+1, p.lines[i]
		text := strings.TrimSpace(bullet.ReplaceAllString(raw, ""))
		switch {
		case text == "":
			p.open = nil
		case p.heading(i, text):
			p.open = nil
			p.section = text
			p.process = p.know.titled(text)
			p.label = ""
		case isCommand(text):
			p.command(line{no, text})
			for strings.HasSuffix(text, `\`) && i+1 < len(p.lines) {
				i++
				text = p.lines[i]
				p.command(line{i + 1, text})
			}
		case strings.HasPrefix(text, "#") && p.open != nil:
			p.command(line{no, text})
		default:
			p.open = nil
			p.sentence(line{no, text})
		}
	}
}

// heading reports whether a line begins the section of a process. Below such a line is a table with
// the level of the process, or the line itself has a process name and the word Process.
func (p *plain) heading(i int, text string) bool {
	for _, next := range p.lines[i+1:] {
		if next = strings.TrimSpace(next); next != "" {
			if level.MatchString(next) {
				return true
			}
			break
		}
	}
	return strings.Contains(text, "Process") && p.know.titled(text) != ""
}

func (p *plain) command(l line) {
	if p.open == nil {
		p.open = p.block()
	}
	p.open.lines = append(p.open.lines, l)
}

func (p *plain) block() *block {
	b := &block{section: p.section, process: p.process, label: p.label}
	p.blocks = append(p.blocks, b)
	return b
}

// sentence looks for commands inside a line of text. Below a label such as "Restart", a process
// name alone counts as a missing command.
func (p *plain) sentence(l line) {
	if one := (&block{lines: []line{l}}); one.bare() && isProcedure(p.label) && p.know.named(l.text) != "" {
		b := p.block()
		b.lines = []line{l}
		return
	}
	for _, text := range inSentence(l.text) {
		b := p.block()
		b.label = l.text
		b.prose = true
		b.lines = []line{{l.no, text}}
	}
	p.label = l.text
}

var (
	sudoInText = regexp.MustCompile(`(?:^|[\s(])(sudo\s)`)
	pipeInText = regexp.MustCompile(`\brun ([a-z]+ [^|]*\| .*)`)
	// tokens matches one word. A placeholder is one word even if it contains blanks.
	tokens = regexp.MustCompile(`(?:<[^<>]*>|[^\s<>])+`)
	// ends are English words that show that a command has ended and its sentence continues.
	ends = []string{"and", "with", "where", "to", "in", "that", "then", "for", "or", "on", "until", "as", "from"}
)

// inSentence returns the commands in a sentence. A command begins at "sudo", or after "run" if it
// is a pipeline. It ends where the sentence continues.
func inSentence(s string) (out []string) {
	rest := s
	for {
		at := sudoInText.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		command, n := cut(rest[at[2]:])
		if len(strings.Fields(command)) > 1 {
			out = append(out, command)
		}
		rest = rest[at[2]+n:]
	}
	if m := pipeInText.FindStringSubmatch(s); m != nil && out == nil {
		command, _ := cut(m[1])
		out = append(out, command)
	}
	return out
}

// cut removes the rest of the sentence after a command. The result taken is the length of the
// command in s, in bytes.
func cut(s string) (command string, taken int) {
	var words []string
	for _, at := range tokens.FindAllStringIndex(s, -1) {
		word := s[at[0]:at[1]]
		if len(words) > 0 && (slices.Contains(ends, word) || strings.HasPrefix(word, "(") || capital(word)) {
			break
		}
		clean := strings.TrimRight(word, ".,;:)")
		words, taken = append(words, clean), at[1]
		if clean != word && !strings.HasSuffix(word, ";") {
			break
		}
		if clean != word {
			words[len(words)-1] = clean + ";"
		}
	}
	return strings.Join(words, " "), max(taken, len("sudo"))
}

// capital reports whether a word has the form of the first word of a sentence: one upper-case
// letter, then lower-case letters.
func capital(word string) bool {
	return word[0] >= 'A' && word[0] <= 'Z' && strings.IndexFunc(word[1:], func(r rune) bool { return r < 'a' || r > 'z' }) < 0
}

// programs are the names of programs that a command in a runbook may begin with. Some names are
// also English words, so isCommand refuses a line whose next word is in the list english.
var programs = []string{
	"sudo", "cat", "ls", "rm", "cp", "mv", "ln", "cd", "echo", "printf", "chown", "chmod", "chgrp", "mkdir", "rmdir",
	"touch", "tee", "tail", "head", "grep",
	"monit", "systemctl", "journalctl", "service", "etcdctl", "etcdctl.sh", "mysql", "mysqldump", "openssl",
	"htpasswd", "keytool", "watch", "less", "more", "top", "htop", "vi", "vim", "nano",
	"curl", "wget", "ssh", "scp", "rsync", "tar", "yum", "dnf", "rpm", "find", "xargs", "kill", "pkill", "dd", "mkfs",
	"export", "env", "timeout", "dhconfig", "dhctl", "dh_monit", "sed", "awk", "df", "du",
}

var (
	programPath = regexp.MustCompile(`^/\S*(/s?bin/|/install/)\S+|^/\S+\.sh\b`)
	assigned    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=\$\(`)
	// prefixed matches variables before a command.
	prefixed = regexp.MustCompile(`^(?:[A-Za-z_][A-Za-z0-9_]*=\S* )+`)
	english  = []string{"with", "the", "a", "an", "is", "in", "to", "of", "and", "or", "it", "that", "for", "on", "will", "can"}
)

// isCommand reports whether a line looks like a command and not like a sentence.
func isCommand(s string) bool {
	s = strings.TrimSpace(s)
	if assigned.MatchString(s) || programPath.MatchString(s) {
		return true
	}
	words := strings.Fields(prefixed.ReplaceAllString(s, ""))
	if len(words) == 0 || !slices.Contains(programs, words[0]) {
		return false
	}
	return len(words) == 1 || !slices.Contains(english, words[1])
}

var procedure = regexp.MustCompile(`(?i)^(restart|start|stop)( the service)?( procedures?)?:?$`)

// isProcedure reports whether a label announces the restart, start or stop of the section's
// process.
func isProcedure(label string) bool { return procedure.MatchString(strings.TrimSpace(label)) }
