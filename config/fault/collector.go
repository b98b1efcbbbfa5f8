package fault

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Collector gathers faults. It lists at most maxFaults of them and counts the
// rest, so that a megabyte of commas does not cost a hundred of faults.
type Collector struct {
	listed  Faults
	omitted int
	worst   Fault // of the omitted
}

const maxFaults = 1000

// Full tells whether no more faults are listed.
func (c *Collector) Full() bool { return len(c.listed) >= maxFaults }

// Add takes a fault.
func (c *Collector) Add(fault Fault) {
	if !c.Full() {
		c.listed = append(c.listed, fault)
		return
	}
	if c.omitted == 0 || fault.Severity > c.worst.Severity {
		c.worst = fault
	}
	c.omitted++
}

// Sorted returns the faults by key and place, and how many are not listed.
func (c *Collector) Sorted() Faults {
	faults := slices.Clone(c.listed)
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(
			strings.Compare(a.Key, b.Key),
			cmp.Compare(a.Position, b.Position),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(b.Severity, a.Severity),
		)
	})
	if c.omitted > 0 {
		faults = append(faults, Fault{
			Severity: c.worst.Severity,
			Key:      c.worst.Key,
			Reason:   fmt.Sprintf("too many faults; %d more are not listed", c.omitted),
		})
	}
	return faults
}
