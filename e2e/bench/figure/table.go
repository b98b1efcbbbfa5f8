package figure

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTable writes one table of all figures.
func WriteTable(to io.Writer, figures []Figure) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nFIGURE\tVALUE, P50\tP99\tMAX\tUNIT\tCOUNT\tTARGET")
	for _, f := range figures {
		fmt.Fprintf(table, "%s\t", f.Name)
		for i := range 3 {
			if i < len(f.Values) {
				fmt.Fprint(table, number(f.Values[i].Value))
			}
			fmt.Fprint(table, "\t")
		}
		fmt.Fprintf(table, "%s\t%d\t%s\n", f.Unit, f.Count, verdict(f.Values))
	}
	return table.Flush()
}

// number writes large values without exponent.
func number(value float64) string {
	if value >= 10_000 {
		return fmt.Sprintf("%.0f", value)
	}
	return fmt.Sprintf("%.4g", value)
}

func verdict(values []Value) string {
	var verdicts []string
	for _, value := range values {
		if value.Target == nil {
			continue
		}
		text := "MISSED"
		if *value.Met {
			text = "met"
		}
		verdicts = append(verdicts, strings.TrimSpace(fmt.Sprintf("%s %s: %s", value.Of, value.Target, text)))
	}
	return strings.Join(verdicts, ", ")
}
