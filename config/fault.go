package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Severity tells whether a fault keeps the configuration from being used.
type Severity int

// The severities of a fault.
const (
	// Warning: the configuration is used, but hardly as it was meant.
	Warning Severity = iota
	// Error: the configuration is refused as a whole.
	Error
)

// String returns "warning" or "error".
func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Fault is one thing wrong with the configuration, and where.
type Fault struct {
	Severity Severity `json:"severity"`
	Key      string   `json:"key"`
	// Position is the place in the comma-separated list, from 1; 0 if the
	// fault is of the key as a whole.
	Position int `json:"position,omitempty"`
	// Column is where in the key's value the entry at Position begins, in
	// bytes, from 1; 0 if Position is 0.
	Column int `json:"column,omitempty"`
	// Value is the culprit as written, without surrounding white space.
	Value string `json:"value,omitempty"`
	// Reason says what is wrong and, where it can be guessed, what was meant.
	Reason string `json:"reason"`
}

// String returns the fault on one line, without its severity:
//
//	cidr-global[2] "10.0.0.1/24": host bits set; did you mean 10.0.0.0/24?
func (f Fault) String() string {
	if f.Value == "" {
		return f.place() + ": " + f.Reason
	}
	return f.place() + " " + quote(f.Value) + ": " + f.Reason
}

func (f Fault) place() string {
	key := f.Key
	if !isConfigMapKey(key) {
		key = quote(key)
	}
	if f.Position == 0 {
		return key
	}
	return fmt.Sprintf("%s[%d]", key, f.Position)
}

// quote keeps a fault on one line of readable length, whatever was written.
func quote(value string) string {
	const most = 80
	if len(value) <= most {
		return strconv.Quote(value)
	}
	return strconv.Quote(strings.ToValidUTF8(value[:most], "")) + "…"
}

// Faults are the faults of one configuration, sorted by key and position.
type Faults []Fault

// Errors returns those that keep the configuration from being used.
func (f Faults) Errors() Faults { return f.of(Error) }

// Warnings returns those that do not.
func (f Faults) Warnings() Faults { return f.of(Warning) }

func (f Faults) of(severity Severity) Faults {
	var some Faults
	for _, fault := range f {
		if fault.Severity == severity {
			some = append(some, fault)
		}
	}
	return some
}

// Err returns nil if no fault is an Error, and else one error, of bounded
// length, that names the first of them and counts the rest.
func (f Faults) Err() error {
	const named = 5
	errs := f.Errors()
	if len(errs) == 0 {
		return nil
	}
	var text strings.Builder
	for i, fault := range errs[:min(named, len(errs))] {
		if i > 0 {
			text.WriteString("; ")
		}
		text.WriteString(fault.String())
	}
	if more := len(errs) - named; more > 0 {
		fmt.Fprintf(&text, "; and %d more", more)
	}
	return fmt.Errorf("invalid pool configuration: %s", text.String())
}

// collector gathers faults. It lists at most maxFaults of them and counts the
// rest, so that a megabyte of commas does not cost a hundred of faults.
type collector struct {
	listed  Faults
	omitted int
	worst   Fault // of the omitted
}

const maxFaults = 1000

func (c *collector) full() bool { return len(c.listed) >= maxFaults }

func (c *collector) add(fault Fault) {
	if !c.full() {
		c.listed = append(c.listed, fault)
		return
	}
	if c.omitted == 0 || fault.Severity > c.worst.Severity {
		c.worst = fault
	}
	c.omitted++
}

func (c *collector) sorted() Faults {
	faults := slices.Clone(c.listed)
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), cmp.Compare(a.Position, b.Position), cmp.Compare(b.Severity, a.Severity))
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
