// Package strictyaml walks the syntax tree of a YAML file and collects every
// problem with its place: file, line, column and key. A decoder's strict mode
// would stop at the first unknown key. The package is pure.
package strictyaml
