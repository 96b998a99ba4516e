package sshconfig

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Problem is a line that is refused or ignored.
type Problem struct {
	File    string
	Line    int
	What    string
	Instead string
	Warning bool // the line is ignored, the rest is used
}

// File is a config file together with all files that it includes.
type File struct {
	lines []line
	// Files are the paths that were read, the config file first.
	Files []string
	// Text is the content of all files. The caller can hash it.
	Text []byte

	dir      string // includes must be below it
	problems []Problem
}

// line is one keyword with its arguments. The field depth says in how many included files it is
// nested.
type line struct {
	file      string
	number    int
	keyword   string // in lower case
	arguments []string
	depth     int
}

// maxDepth is the maximum depth of nested includes, the same as in OpenSSH.
const maxDepth = 16

// maxFile is larger than any config.
const maxFile = 4 << 20

// Read reads a config file and its includes.
func Read(path string) (*File, []Problem) {
	f := &File{dir: real(filepath.Dir(path))}
	f.read(path, 0, nil)
	return f, f.problems
}

// real resolves the symbolic links of a path. If that fails, it returns the cleaned path, with its
// links.
func real(path string) string {
	if clean, err := filepath.EvalSymlinks(path); err == nil {
		return clean
	}
	return filepath.Clean(path)
}

func (f *File) problem(at line, what, instead string) {
	f.problems = append(f.problems, Problem{File: at.file, Line: at.number, What: what, Instead: instead})
}

func (f *File) warning(at line, what, instead string) {
	f.problems = append(f.problems, Problem{File: at.file, Line: at.number, What: what, Instead: instead, Warning: true})
}

func (f *File) read(path string, depth int, from *line) {
	at := line{file: path}
	if from != nil {
		at = *from
	}
	text, err := os.ReadFile(path)
	switch {
	case err != nil:
		f.problem(at, fmt.Sprintf("%s cannot be read: %v", path, err), "let the bot's user read it")
		return
	case len(text) > maxFile:
		f.problem(at, path+" is larger than 4 MiB", "name an ssh_config file")
		return
	}
	f.Files = append(f.Files, path)
	f.Text = append(f.Text, text...)
	for i, raw := range strings.Split(string(text), "\n") {
		l := line{file: path, number: i + 1, depth: depth}
		keyword, arguments, err := split(raw)
		switch {
		case err != nil:
			f.problem(l, err.Error(), "close the quote")
			continue
		case keyword == "":
			continue
		}
		l.keyword, l.arguments = strings.ToLower(keyword), arguments
		f.take(l)
	}
}

// take checks one line, and keeps the line unless it reports a problem or a warning. For an Include
// line, it takes the lines of the named files.
func (f *File) take(l line) {
	if len(l.arguments) == 0 {
		f.problem(l, l.keyword+" has no value", "write one, or remove the line")
		return
	}
	switch {
	case l.keyword == "include":
		f.include(l)
	case l.keyword == "match":
		f.match(l)
	case l.keyword == "proxycommand" && !strings.EqualFold(l.arguments[0], "none"):
		f.problem(l, "ProxyCommand would run a program on the bot's machine", "write ProxyJump, or remove the line")
	case l.keyword == "canonicalizehostname" && !strings.EqualFold(l.arguments[0], "no"):
		f.problem(l, "the bot does not canonicalise names", "write the full name as HostName, or remove the line")
	case l.keyword == "host" || slices.Contains(used, l.keyword):
		f.lines = append(f.lines, l)
	case slices.Contains(trust, l.keyword):
		f.warning(l, l.keyword+" is not used: host keys are always checked against ssh.known_hosts", "remove the line from the bot's file")
	case l.keyword == "ignoreunknown" || slices.Contains(passedOver, l.keyword) || f.ignored(l.keyword):
		f.lines = append(f.lines, l)
	default:
		f.problem(l, fmt.Sprintf("%q is not a keyword of ssh_config", l.keyword), "correct it, or name it with IgnoreUnknown before this line")
	}
}

// ignored reports whether an earlier IgnoreUnknown line lists the keyword.
func (f *File) ignored(keyword string) bool {
	for _, l := range f.lines {
		if l.keyword != "ignoreunknown" {
			continue
		}
		for _, list := range l.arguments {
			for _, pattern := range strings.Split(strings.ToLower(list), ",") {
				if glob(pattern, keyword) {
					return true
				}
			}
		}
	}
	return false
}

// include reads the files that an Include line names. It puts the keywords begin and end around
// the lines of each file, because these lines apply only where the Include line applies.
func (f *File) include(l line) {
	if l.depth >= maxDepth {
		f.problem(l, "files include each other too deeply", "remove this Include")
		return
	}
	for _, pattern := range l.arguments {
		if rest, ok := strings.CutPrefix(pattern, "~/"); ok {
			pattern = filepath.Join(home(), rest)
		}
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(f.dir, pattern)
		}
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.problem(l, fmt.Sprintf("%q is not a pattern of file names", pattern), "write a path")
			continue
		}
		if len(paths) == 0 && !f.inside(pattern) {
			paths = []string{pattern} // refused later
		}
		for _, path := range paths {
			if !f.inside(path) {
				f.problem(l, path+" is outside "+f.dir, "move it next to the config file")
				continue
			}
			f.lines = append(f.lines, line{keyword: begin})
			f.read(path, l.depth+1, &l)
			f.lines = append(f.lines, line{keyword: end})
		}
	}
}

// begin and end stand around the lines of an included file. A file cannot contain them, because
// no keyword in a file has a space.
const (
	begin = "include begins"
	end   = "include ends"
)

// inside reports whether a path is in the directory of the config file.
func (f *File) inside(path string) bool {
	rest, err := filepath.Rel(f.dir, real(path))
	return err == nil && filepath.IsLocal(rest)
}

// match keeps a Match line if its criteria only compare names. Any other criterion is reported as
// a problem.
func (f *File) match(l line) {
	for i := 0; i < len(l.arguments); i++ {
		criterion := strings.ToLower(strings.TrimPrefix(l.arguments[i], "!"))
		name, _, joined := strings.Cut(criterion, "=")
		switch name {
		case "all":
			continue
		case "host", "originalhost", "user":
			if !joined {
				i++
			}
			if i >= len(l.arguments) {
				f.problem(l, "Match "+name+" has no value", "write one")
				return
			}
		case "exec":
			f.problem(l, "Match exec would run a program on the bot's machine", "write Host, or Match host, or remove the block")
			return
		default:
			f.problem(l, fmt.Sprintf("Match %s is not supported", name), "write Match all, host, originalhost or user")
			return
		}
	}
	f.lines = append(f.lines, l)
}

func home() string {
	dir, err := os.UserHomeDir()
	if err != nil {
		return "/"
	}
	return dir
}

// split splits a line into keyword and arguments as OpenSSH does. Blanks separate words, and an =
// may follow the keyword. Double or single quotes protect blanks, and # begins a comment.
func split(raw string) (keyword string, arguments []string, err error) {
	rest := strings.TrimSpace(strings.TrimPrefix(raw, "\ufeff"))
	if rest == "" || rest[0] == '#' {
		return "", nil, nil
	}
	i := strings.IndexAny(rest, " \t=\"")
	if i < 0 {
		return rest, nil, nil
	}
	keyword, rest = rest[:i], strings.TrimLeft(rest[i:], " \t")
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "="), " \t")
	arguments, err = words(rest)
	return keyword, arguments, err
}

func words(rest string) (out []string, err error) {
	for rest = strings.TrimLeft(rest, " \t"); rest != "" && rest[0] != '#'; rest = strings.TrimLeft(rest, " \t") {
		var word strings.Builder
		quote := byte(0)
		i := 0
		for ; i < len(rest); i++ {
			c := rest[i]
			switch {
			case quote != 0 && c == '\\' && i+1 < len(rest) && (rest[i+1] == quote || rest[i+1] == '\\'):
				i++
				word.WriteByte(rest[i])
			case quote != 0 && c == quote:
				quote = 0
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
			case quote == 0 && (c == ' ' || c == '\t'):
				goto done
			default:
				word.WriteByte(c)
			}
		}
	done:
		if quote != 0 {
			return nil, fmt.Errorf("a quote is not closed")
		}
		out = append(out, word.String())
		rest = rest[i:]
	}
	return out, nil
}
