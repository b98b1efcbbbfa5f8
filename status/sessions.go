package status

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/bgp"
	"github.com/heraldlb/herald/controllers/advertisement"
)

// writeSessions writes the sessions of each node with its routers; wide adds what the
// sessions were through.
func (r *Report) writeSessions(text *bytes.Buffer, now time.Time, wide bool) {
	heading := "NODE\tPEER\tADDRESS\tASN\tSTATE\tSINCE\tADVERTISED\tBFD"
	if wide {
		heading += "\tUPDATES\tFLAPS"
	}
	table(text, heading+"\tNOTE", func(row func(...any)) {
		for _, n := range r.Nodes {
			if n.BGPError != "" && n.Error == "" {
				row(blanks(n.Name, wide, n.BGPError)...)
			}
			if n.BGP == nil {
				continue
			}
			for _, s := range n.BGP.Sessions {
				row(session(n.Name, s, now, wide)...)
			}
			for _, complaint := range n.BGP.Complaints {
				row(blanks(n.Name, wide, complaint)...)
			}
		}
	})
}

func session(node string, s advertisement.Session, now time.Time, wide bool) []any {
	address := "?"
	if s.Address.IsValid() {
		address = s.Address.String()
	}
	told := fmt.Sprint(s.Advertised)
	if s.Withheld > 0 {
		told += fmt.Sprintf("/%d", s.Advertised+s.Withheld)
	}
	cells := []any{node, s.Peer, address, s.ASN, s.State, age(now, s.Since), told, path(s.BFD)}
	if wide {
		cells = append(cells, s.Updates, s.Flaps)
	}
	return append(cells, sessionNote(s))
}

// blanks are the cells of a row that is of no session.
func blanks(node string, wide bool, note string) []any {
	cells := []any{node, "-", "-", "-", "-", "-", "-", "-"}
	if wide {
		cells = append(cells, "-", "-")
	}
	return append(cells, note)
}

func path(status *announcer.BFDStatus) string {
	if status == nil {
		return "-"
	}
	return string(status.State)
}

func sessionNote(s advertisement.Session) string {
	var notes []string
	if s.State != bgp.Established && s.Reason != "" {
		notes = append(notes, s.Reason)
	}
	if s.Withheld > 0 {
		notes = append(notes, fmt.Sprintf("%d withheld: %s", s.Withheld, cmp.Or(s.Why, "nothing is known of why")))
	}
	if s.BFD != nil && s.BFD.State != announcer.BFDUp && s.BFD.Diagnostic != "" {
		notes = append(notes, "BFD: "+s.BFD.Diagnostic)
	}
	return strings.Join(notes, "; ")
}
