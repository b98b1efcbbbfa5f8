package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/heraldlb/herald/config"
)

// writeText writes a line for each fault, as compilers do, and then a table of
// what each scope may get, or why there is none.
func (r report) writeText(w io.Writer) error {
	var text bytes.Buffer
	count := make(map[config.Severity]int)
	for _, fault := range r.Faults {
		count[fault.Severity]++
		fmt.Fprintf(&text, "%s:%d: %s: %s\n", r.File, fault.Line, fault.Severity, fault)
	}
	if len(r.Faults) > 0 {
		text.WriteByte('\n')
	}
	switch {
	case !r.Valid:
		fmt.Fprintf(&text, "%s, %s. Herald refuses this ConfigMap and keeps to the last good one.\n",
			plural(count[config.Error], "error"), plural(count[config.Warning], "warning"))
	case len(r.Pools) == 0:
		text.WriteString("There is no pool: no Service gets an address.\n")
	default:
		r.writePools(&text)
	}
	if r.BGP != nil {
		r.BGP.write(&text)
	}
	_, err := w.Write(text.Bytes())
	return err
}

func (r report) writePools(text *bytes.Buffer) {
	table := tabwriter.NewWriter(text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "POOL\tFAMILY\tSIZE\tSHARED\tANNOUNCED\tINTERFACE\tADDRESSES")
	hasGlobal := false
	for _, pool := range r.Pools {
		hasGlobal = hasGlobal || pool.Scope == config.Global
		families := pool.Families
		if len(families) == 0 {
			families = []familyReport{{Family: "-", Size: "0"}}
		}
		for _, f := range families {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
				pool.Scope, f.Family, f.Size, yesNo(pool.Share), pool.Announce, cmp.Or(pool.Interface, "any"), abridge(f.Ranges))
		}
	}
	_ = table.Flush() // to memory
	if hasGlobal {
		fmt.Fprintf(text, "\nNamespaces that are not listed draw from the pool %s.", config.Global)
	} else {
		text.WriteString("\nNamespaces that are not listed get no address.")
	}
	if r.Order == config.Descending.String() {
		text.WriteString(" The highest free address goes first.\n")
	} else {
		text.WriteString(" The lowest free address goes first.\n")
	}
}

// abridge names the first ranges and counts the others.
func abridge(ranges []string) string {
	const most = 3
	switch {
	case len(ranges) == 0:
		return "-"
	case len(ranges) <= most:
		return strings.Join(ranges, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ranges[:most], ", "), len(ranges)-most)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
