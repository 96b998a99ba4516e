package hostsim

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// joinedMark matches the beginning of a line in which the bot sends several commands. It prints a
// mark. The rest of the line prints the mark again after each command, on both streams.
var joinedMark = regexp.MustCompile(`^printf '%s\\n' (dhbot-[A-Z2-7]{26}); `)

// joined splits a line in which the bot sends several commands. ok is false for any line in which
// marks and single commands do not alternate.
func joined(line string) (mark string, commands []string, ok bool) {
	m := joinedMark.FindStringSubmatch(line)
	if m == nil {
		return "", nil, false
	}
	mark = m[1]
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(line), "")
	if err != nil {
		return "", nil, false
	}
	var texts []string
	for _, s := range file.Stmts {
		end := s.End()
		if s.Semicolon.IsValid() {
			end = s.Semicolon
		}
		texts = append(texts, strings.TrimSpace(line[s.Pos().Offset():end.Offset()]))
	}
	const locale = "export LC_ALL=C"
	all := len(texts) > 2 && texts[2] == locale
	if all {
		texts = slices.Delete(texts, 2, 3)
	}
	if len(texts) < 5 || len(texts)%3 != 2 || texts[0] != `printf '%s\n' `+mark || texts[1] != `printf '%s\n' `+mark+` >&2` {
		return "", nil, false
	}
	for i := 2; i < len(texts); i += 3 {
		if texts[i+1] != `printf '\n%s %d\n' `+mark+` $?` || texts[i+2] != `printf '\n%s\n' `+mark+` >&2` {
			return "", nil, false
		}
		if all {
			texts[i] = "env LC_ALL=C " + texts[i]
		}
		commands = append(commands, texts[i])
	}
	return mark, commands, true
}
