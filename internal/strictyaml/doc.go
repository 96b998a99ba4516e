// Package strictyaml walks the syntax tree of a YAML file and collects every
// problem with its place: file, line, column and key. A decoder's strict mode
// would stop at the first unknown key. The package is pure.
//
// # Files
//
//   - yaml.go: the walk: a file, mappings, keys that are unknown, missing or duplicate
//   - values.go: one value: texts, lists, numbers, durations, choices
//   - problem.go: a problem and its place
package strictyaml
