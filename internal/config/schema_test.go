package config

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// update rewrites the schema and the reference: go test ./internal/config -update.
var update = flag.Bool("update", false, "rewrite config.schema.json and docs/config.md")

const (
	schemaFile    = "config.schema.json"
	referenceFile = "../../docs/config.md"
)

// key is one key of the config file, as keys.go defines it.
type key struct {
	name, doc, def, example, kind string
	required                      bool
	enum                          []string
	shape                         ast.Expr
}

// shapes reads the types of keys.go with their comments.
func shapes(t *testing.T) map[string][]key {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "keys.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]key{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		body, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, f := range body.Fields.List {
			tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
			name, need, _ := strings.Cut(tag.Get("key"), ",")
			k := key{name: name, doc: strings.Join(strings.Fields(f.Doc.Text()), " "), def: tag.Get("default"), example: tag.Get("example"), kind: tag.Get("type"), required: need == "required", shape: f.Type}
			if e := tag.Get("enum"); e != "" {
				k.enum = strings.Split(e, ",")
			}
			if k.doc == "" {
				t.Errorf("%s of %s has no comment", name, spec.Name.Name)
			}
			out[spec.Name.Name] = append(out[spec.Name.Name], k)
		}
		return true
	})
	return out
}

type schemaObject = map[string]any

// schemaOf is the schema of a mapping.
func schemaOf(all map[string][]key, name string) schemaObject {
	properties, required := schemaObject{}, []string{}
	for _, k := range all[name] {
		properties[k.name] = k.schema(all)
		if k.required {
			required = append(required, k.name)
		}
	}
	out := schemaObject{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

func (k key) schema(all map[string][]key) schemaObject {
	out := shapeSchema(all, k.shape)
	switch {
	case strings.Contains(k.kind, "oneOrMore"):
		out = schemaObject{"anyOf": []any{schemaObject{"type": "string"}, out}}
	case out["type"] == "object" && !k.required:
		out["type"] = []any{"object", "null"} // all keys of the mapping may be commented out
	case k.kind == "duration":
		out["pattern"] = `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	}
	out["description"] = k.doc
	if k.enum != nil {
		out["enum"] = k.enum
	}
	if v, ok := literal(k.def); ok {
		out["default"] = v
	}
	if v, ok := literal(k.example); ok && out["properties"] == nil && out["additionalProperties"] == nil {
		out["examples"] = []any{v}
	}
	return out
}

// literal parses a default or an example. The tags of keys.go have them in YAML, as in the
// config file.
func literal(text string) (v any, ok bool) {
	return v, text != "" && yaml.Unmarshal([]byte(text), &v) == nil
}

func shapeSchema(all map[string][]key, shape ast.Expr) schemaObject {
	switch s := shape.(type) {
	case *ast.ArrayType:
		return schemaObject{"type": "array", "items": shapeSchema(all, s.Elt)}
	case *ast.MapType:
		return schemaObject{"type": "object", "additionalProperties": shapeSchema(all, s.Value)}
	case *ast.Ident:
		if kind := map[string]string{"string": "string", "int": "integer", "bool": "boolean"}[s.Name]; kind != "" {
			return schemaObject{"type": kind}
		}
		return schemaOf(all, s.Name)
	}
	panic(fmt.Sprintf("keys.go has a type that the schema does not support: %T", shape))
}

func schemaText(t *testing.T) string {
	t.Helper()
	s := schemaOf(shapes(t), "fileKeys")
	s["$schema"], s["title"] = "https://json-schema.org/draft/2020-12/schema", "The config file of dhbot"
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

// TestSchemaAndReference compares the generated files with keys.go.
func TestSchemaAndReference(t *testing.T) {
	for file, want := range map[string]string{schemaFile: schemaText(t), referenceFile: referenceText(shapes(t))} {
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s differs from keys.go (%v): go test ./internal/config -update, and look at the diff", file, err)
		}
	}
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	var doc any
	if err := json.Unmarshal([]byte(schemaText(t)), &doc); err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource(schemaFile, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func readYAML(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	j, err := yaml.YAMLToJSON(text)
	if err == nil {
		err = json.Unmarshal(j, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSchemaAgreesWithTheParser checks that the schema accepts the configs that the
// parser accepts, and refuses an unknown key.
func TestSchemaAgreesWithTheParser(t *testing.T) {
	schema := compile(t)
	files, err := filepath.Glob("testdata/valid/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../../config.example.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, problems := Parse(file, text); problems.Fatal() {
			t.Errorf("%s: %v", file, problems)
		}
		if err := schema.Validate(readYAML(t, text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	wrong := readYAML(t, []byte("state: {dri: /var/lib/dhbot}"))
	if schema.Validate(wrong) == nil {
		t.Error("a key that does not exist was accepted")
	}
}

// TestDefaults checks that a config with every default written out equals a config without
// the defaults.
func TestDefaults(t *testing.T) {
	const plain = `
slack: {home: T0, audit_channel: C00}
state: {dir: /srv/dhbot}
ssh: {user: dhops, key_file: k, known_hosts: h}
people: {anna: {slack: [T00/U00]}, ben: {slack: [T00/U01]}}
clusters: {prod: {catalog: current, roles: {operators: [anna], approvers: [ben]}, hosts: {a: {address: a, processes: [db_dis]}}%s}}
%s`
	written := ""
	all := shapes(t)
	defaults := func(name string) string {
		var parts []string
		for _, k := range all[name] {
			if k.def != "" {
				parts = append(parts, k.name+": "+k.def)
			}
		}
		if len(parts) == 0 {
			t.Errorf("%s has no default", name)
		}
		return strings.Join(parts, ", ")
	}
	written = fmt.Sprintf("policy: {sev1: {%s}, destructive: {%s}}\nmetrics: {listen: '127.0.0.1:1', %s}\n", defaults("sev1Keys"), defaults("destructiveKeys"), defaults("metricsKeys"))
	inCluster := func(more string) string { return ", watch: {channel: C00" + more + "}" }
	without, p1 := Parse("without", fmt.Appendf(nil, strings.ReplaceAll(plain, "T0,", "T00,"), inCluster(""), "metrics: {listen: '127.0.0.1:1'}\n"))
	with, p2 := Parse("with", fmt.Appendf(nil, strings.ReplaceAll(plain, "T0,", "T00,"), inCluster(", "+defaults("watchKeys"))+", "+defaults("clusterKeys"), written))
	if p1.Fatal() || p2.Fatal() {
		t.Fatalf("%v\n%v", p1, p2)
	}
	without.Hash, with.Hash = "", ""
	without.Catalogs, with.Catalogs = nil, nil
	if !reflect.DeepEqual(without, with) {
		t.Errorf("without defaults %+v\nwith them        %+v", without, with)
	}
}
