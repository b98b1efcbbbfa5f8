package status

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/heraldlb/herald/announcer"
)

// WriteText writes the report as tables; wide adds how each node sees each
// other. Times are told as of now.
func (r *Report) WriteText(w io.Writer, now time.Time, wide bool) error {
	var text bytes.Buffer
	for _, complaint := range r.Complaints {
		fmt.Fprintln(&text, "!", complaint)
	}
	r.writePools(&text)
	r.writeServices(&text, now)
	r.writeExternal(&text)
	r.writeNodes(&text)
	r.writeSessions(&text, now, wide)
	if wide {
		r.writeMembers(&text, now)
	}
	_, err := w.Write(text.Bytes())
	return err
}

// table writes rows under a heading, and nothing if there are none.
func table(text *bytes.Buffer, heading string, rows func(row func(cells ...any))) {
	columns := tabwriter.NewWriter(text, 0, 0, 3, ' ', 0)
	begun := false
	rows(func(cells ...any) {
		if !begun {
			if text.Len() > 0 {
				text.WriteByte('\n')
			}
			fmt.Fprintln(columns, heading)
			begun = true
		}
		for i, cell := range cells {
			if i > 0 {
				fmt.Fprint(columns, "\t")
			}
			fmt.Fprint(columns, cell)
		}
		fmt.Fprintln(columns)
	})
	_ = columns.Flush() // to memory
}

func (r *Report) writePools(text *bytes.Buffer) {
	table(text, "POOL\tFAMILY\tSIZE\tUSED", func(row func(...any)) {
		for _, p := range r.Pools {
			row(p.Scope, p.Family, p.Size, p.Used)
		}
	})
}

func (r *Report) writeServices(text *bytes.Buffer, now time.Time) {
	table(text, "SERVICE\tADDRESS\tOWNER\tINTERFACE\tSINCE\tNOTE", func(row func(...any)) {
		for _, svc := range r.Services {
			name := svc.Namespace + "/" + svc.Name
			for _, a := range svc.Addresses {
				row(name, a.Address, owner(a), cmp.Or(strings.Join(a.Interfaces, ","), "-"), age(now, a.Since), a.Problem)
			}
			if svc.Waiting != "" || len(svc.Addresses) == 0 {
				row(name, "<pending>", "-", "-", "-", svc.Waiting)
			}
		}
	})
}

// owner is the node that answers, or BGP: then there are many.
func owner(a Address) string {
	if a.Advertised != "" {
		return "BGP"
	}
	return cmp.Or(a.Owner, "-")
}

func (r *Report) writeExternal(text *bytes.Buffer) {
	table(text, "SERVICE\tREACHED FROM OUTSIDE AT", func(row func(...any)) {
		for _, svc := range r.Services {
			if len(svc.External) > 0 {
				row(svc.Namespace+"/"+svc.Name, strings.Join(svc.External, ", "))
			}
		}
	})
}

func (r *Report) writeNodes(text *bytes.Buffer) {
	table(text, "NODE\tOWNS\tHEARS\tHEARD BY\tTIMING\tNOTE", func(row func(...any)) {
		heardBy := r.heardBy()
		for _, n := range r.Nodes {
			if n.View == nil {
				row(n.Name, n.Owns, "?", heardBy[n.Name], "?", note(n))
				continue
			}
			row(n.Name, n.Owns, len(heard(n.View)), heardBy[n.Name], n.View.Scheduling, note(n))
		}
	})
}

// heardBy counts for each node the others that hear it.
func (r *Report) heardBy() map[string]int {
	count := make(map[string]int)
	for _, n := range r.Nodes {
		if n.View != nil {
			for name := range heard(n.View) {
				count[name]++
			}
		}
	}
	return count
}

// heard returns the nodes that are alive in a view.
func heard(view *announcer.View) map[string]bool {
	names := make(map[string]bool)
	for _, m := range view.Members {
		if m.State == announcer.Alive {
			names[m.Node] = true
		}
	}
	return names
}

func note(n Node) string {
	var notes []string
	if n.Excluded {
		notes = append(notes, "labelled "+corev1.LabelNodeExcludeBalancers)
	}
	if n.View == nil {
		return strings.Join(append(notes, n.Error), "; ")
	}
	view := n.View
	switch {
	case view.Isolated:
		notes = append(notes, "cut off, and has withdrawn")
	case view.Alone:
		notes = append(notes, "hears no other node: do all let its UDP port of heartbeats in?")
	}
	if !view.Keyed {
		notes = append(notes, "no heartbeat key")
	}
	return strings.Join(append(notes, view.Complaints...), "; ")
}

func (r *Report) writeMembers(text *bytes.Buffer, now time.Time) {
	table(text, "NODE\tSEES\tINTERFACE\tSOURCE\tSTATE\tSINCE\tINTERVAL\tLOST\tCLAIMS", func(row func(...any)) {
		for _, n := range r.Nodes {
			if n.View == nil {
				continue
			}
			for _, m := range n.View.Members {
				row(n.Name, m.Node, m.Interface, m.Source, m.State, age(now, m.Since),
					fmt.Sprintf("%s × %d", m.Interval, m.Multiplier), m.Lost, m.Claims)
			}
		}
	})
}

func age(now, since time.Time) string {
	if since.IsZero() {
		return "-"
	}
	return duration.HumanDuration(now.Sub(since))
}
