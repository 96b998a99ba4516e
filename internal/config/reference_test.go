package config

import (
	"fmt"
	"go/ast"
	"strings"
)

// referenceText is docs/config.md.
func referenceText(all map[string][]key) string {
	var b strings.Builder
	b.WriteString("# Config reference\n\n" +
		"The config is one YAML file. `bot check` reports all problems in the config at once.\n" +
		"For each problem, it prints the line and what to write instead. An unknown key is a\n" +
		"problem too.\n\n" +
		"The option `--config FILE` or the environment variable `DHBOT_CONFIG` names the file. If\n" +
		"neither is set, most commands read `config.yaml` in the current directory. The commands\n" +
		"`plan`, `catalog`, `sudoers`, `discover` and `runbook lint` then use no config.\n\n" +
		"The config never contains secrets. The Slack tokens come from the environment variables\n" +
		"`SLACK_APP_TOKEN` and `SLACK_BOT_TOKEN`, or from the files that `SLACK_APP_TOKEN_FILE`\n" +
		"and `SLACK_BOT_TOKEN_FILE` name. Every other secret is in a file that the config names.\n\n" +
		"A relative path in the config starts at the directory of the config. These paths must be\n" +
		"absolute: `state.dir`, `state.archive`, `state.notes_dir`, files in `state.witnesses`,\n" +
		"`terminal.socket`, the program in `ssh.renew`, and all paths on hosts.\n\n" +
		"Only root and the bot's user may have write access to the config, your own runbooks,\n" +
		"`ssh.known_hosts`, `ssh.config_file`, the program in `ssh.renew`, and the directories\n" +
		"above them.\n\n" +
		"A duration is a number with a unit, such as `30s`, `5m` or `1h30m`. The names of people,\n" +
		"clusters and hosts consist of lower-case letters, digits, dots, dashes and underscores,\n" +
		"and begin with a letter or digit.\n\n" +
		"`bot schema` prints this reference as a JSON Schema, which an editor with the YAML\n" +
		"language server can use. Save the schema as `config.schema.json` next to the config, and\n" +
		"begin the config with this line:\n\n" +
		"    # yaml-language-server: $schema=config.schema.json\n\n" +
		"[config.example.yaml](../config.example.yaml) is an example of a config, with comments.\n\n" +
		"<!-- generated from internal/config/keys.go: go test ./internal/config -update -->\n")
	section(&b, all, "fileKeys", "")
	return b.String()
}

// section writes the table of one mapping, and then the tables of its parts.
func section(b *strings.Builder, all map[string][]key, name, path string) {
	title := "The file"
	if path != "" {
		title = "`" + path + "`"
	}
	fmt.Fprintf(b, "\n## %s\n\n| Key | Type | Default | Example | Meaning |\n|---|---|---|---|---|\n", title)
	for _, k := range all[name] {
		def := cell(k.def)
		if k.required {
			def = "required"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", k.name, k.word(), def, cell(k.exampleText()), k.doc)
	}
	for _, k := range all[name] {
		if part, more := part(k.shape); all[part] != nil {
			section(b, all, part, strings.TrimPrefix(path+"."+k.name+more, "."))
		}
	}
}

func cell(text string) string {
	if text == "" {
		return "–"
	}
	return "`" + text + "`"
}

func (k key) exampleText() string {
	if part, more := part(k.shape); more == ".NAME" && strings.HasSuffix(part, "Keys") && k.example != "" {
		return k.example + ": {…}"
	}
	if k.example == "" && k.enum != nil {
		return k.enum[0]
	}
	return k.example
}

// word is the type of a key, as the reference names it.
func (k key) word() string {
	switch {
	case k.enum != nil:
		return "one of `" + strings.Join(k.enum, "`, `") + "`"
	case strings.Contains(k.kind, "oneOrMore"):
		return "path, or list of paths"
	case k.kind != "":
		return k.kind
	}
	switch s := k.shape.(type) {
	case *ast.ArrayType:
		return "list"
	case *ast.MapType:
		return "mapping by name"
	case *ast.Ident:
		if word := map[string]string{"string": "text", "int": "number", "bool": "true or false"}[s.Name]; word != "" {
			return word
		}
	}
	return "mapping"
}

// part returns the type of a key's value or, for a list or map, of its elements. The result more is
// what a path has after the key to reach an element: "[]" for a list, ".NAME" for a map.
func part(shape ast.Expr) (name, more string) {
	switch s := shape.(type) {
	case *ast.ArrayType:
		name, _ = part(s.Elt)
		return name, "[]"
	case *ast.MapType:
		name, _ = part(s.Value)
		return name, ".NAME"
	case *ast.Ident:
		return s.Name, ""
	}
	return "", ""
}
