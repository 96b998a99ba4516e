// Package config reads the one config file, and the secrets, which are never in it, and checks them
// against the catalogs. It reports all problems at once, each with its line and what to write
// instead. The commented example is config.example.yaml at the top of the repository.
package config
