package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

// Formats of a command's output.
const (
	asTable = "table" // for people
	asJSON  = "json"
	asYAML  = "yaml"
	asCSV   = "csv"
)

// output is the output format of a command. It implements pflag.Value.
type output string

// outputFlags adds --output, and --json as a short form of --output json.
func outputFlags(cmd *cobra.Command) *output {
	o := output(asTable)
	cmd.Flags().VarP(&o, "output", "o", "the `format`: "+strings.Join(formats(), ", "))
	cmd.Flags().Var(&jsonFlag{&o}, "json", "the same as --output json")
	cmd.Flags().Lookup("json").NoOptDefVal = "true"
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats(), cobra.ShellCompDirectiveNoFileComp))
	return &o
}

// formatFlag adds --output for a command with its own formats. The first format is the default.
// --format is the former name of --output.
func formatFlag(cmd *cobra.Command, to *string, formats ...string) {
	*to = formats[0]
	set := func(s string) error {
		if !slices.Contains(formats, s) {
			return fmt.Errorf("it must be one of %s", strings.Join(formats, ", "))
		}
		*to = s
		return nil
	}
	for _, name := range []string{"output", "format"} {
		cmd.Flags().Func(name, "the `format`: "+strings.Join(formats, ", ")+" (default "+formats[0]+")", set)
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	}
	cmd.Flags().Lookup("output").Shorthand = "o"
	cmd.Flags().Lookup("format").Hidden = true
}

func formats() []string { return []string{asTable, asJSON, asYAML} }

func (o *output) String() string { return string(*o) }
func (o *output) Type() string   { return "format" }

func (o *output) Set(s string) error {
	if !slices.Contains(formats(), s) {
		return fmt.Errorf("it must be one of %s", strings.Join(formats(), ", "))
	}
	*o = output(s)
	return nil
}

// forPeople reports whether the output is for people, not programs.
func (o *output) forPeople() bool { return *o == asTable }

// write prints v for a program, or calls the function table for people. YAML has the same
// keys as JSON.
func (o *output) write(w io.Writer, v any, table func(io.Writer) error) error {
	if o.forPeople() {
		return table(w)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	out := b.Bytes()
	if *o == asYAML {
		var err error
		if out, err = yaml.JSONToYAML(out); err != nil {
			return err
		}
	}
	_, err := w.Write(out)
	return err
}

// jsonFlag is --json.
type jsonFlag struct{ *output }

func (j *jsonFlag) String() string   { return "" }
func (j *jsonFlag) Type() string     { return "bool" }
func (j *jsonFlag) IsBoolFlag() bool { return true }

func (j *jsonFlag) Set(s string) error {
	switch s {
	case "true":
		return j.output.Set(asJSON)
	case "false":
		return nil
	default:
		return fmt.Errorf("write --json without a value, or --output FORMAT")
	}
}
