package audit

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"text/tabwriter"
)

// columnNames are the columns of a table or CSV.
func columnNames() []string {
	return []string{"n", "at", "run", "kind", "person", "action", "target", "host", "outcome", "text", "command"}
}

func columns(s Sealed) []string {
	r := s.Record
	return []string{
		strconv.FormatUint(s.N, 10),
		r.At.UTC().Format("2006-01-02 15:04:05.000Z"),
		r.Run,
		string(r.Kind),
		r.Person,
		r.Action,
		r.Target,
		r.Host,
		r.Outcome,
		r.Text,
		r.Command,
	}
}

// WriteTable writes entries as a readable table. If the trail ends with an error, it still writes
// the entries before the error.
func WriteTable(w io.Writer, trail iter.Seq2[Sealed, error]) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, strings.ToUpper(strings.Join(columnNames(), "\t")))
	for s, err := range trail {
		if err != nil {
			return errors.Join(err, t.Flush())
		}
		fmt.Fprintln(t, strings.Join(columns(s), "\t"))
	}
	return t.Flush()
}

// WriteJSON writes entries in their canonical form, one per line.
func WriteJSON(w io.Writer, trail iter.Seq2[Sealed, error]) error {
	for s, err := range trail {
		if err != nil {
			return err
		}
		b, err := CanonicalEntry(s)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n", b); err != nil {
			return err
		}
	}
	return nil
}

// WriteCSV writes entries with a header line, for a spreadsheet.
func WriteCSV(w io.Writer, trail iter.Seq2[Sealed, error]) error {
	c := csv.NewWriter(w)
	if err := c.Write(columnNames()); err != nil {
		return err
	}
	for s, err := range trail {
		if err != nil {
			return err
		}
		if err := writeRow(c, columns(s)); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// writeRow writes a CSV row. It changes texts that a spreadsheet would interpret as formulas.
func writeRow(c *csv.Writer, row []string) error {
	for i := range row {
		row[i] = cell(row[i])
	}
	return c.Write(row)
}
