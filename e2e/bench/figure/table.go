package figure

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteTable writes one table of all figures.
func WriteTable(to io.Writer, figures []Figure) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nFIGURE\tVALUE\tUNIT\tCOUNT\tTARGET\t")
	for _, f := range figures {
		format := "%s\t%.4g\t%s\t%d\t"
		if f.Value >= 10_000 {
			format = "%s\t%.0f\t%s\t%d\t" // no exponent
		}
		fmt.Fprintf(table, format, f.Name, f.Value, f.Unit, f.Count)
		switch {
		case f.Target == nil:
			fmt.Fprintln(table, "\t")
		case *f.Met:
			fmt.Fprintf(table, "%s\tmet\n", f.Target)
		default:
			fmt.Fprintf(table, "%s\tMISSED\n", f.Target)
		}
	}
	return table.Flush()
}
