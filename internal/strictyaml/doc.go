// Package strictyaml parses a YAML file and collects every problem, with its file, line, column and
// key. The strict mode of a decoder would stop at the first unknown key. The package is pure.
//
// # Files
//
//   - yaml.go: the walk: a file, mappings, keys that are unknown, missing or duplicate
//   - values.go: one value: texts, lists, numbers, durations, choices
//   - problem.go: a problem and its place
package strictyaml
