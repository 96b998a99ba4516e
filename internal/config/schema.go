package config

import _ "embed"

// Schema is the JSON Schema of the config file, generated from the types of keys.go.
//
//go:embed config.schema.json
var Schema string
