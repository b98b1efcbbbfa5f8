// Package fault is what can be wrong with a configuration, and where.
package fault

import (
	"fmt"
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
	// fault is of the key as a whole, or the value is YAML.
	Position int `json:"position,omitempty"`
	// Line is the one in the key's value, from 1, where the value is YAML; else 0.
	Line int `json:"valueLine,omitempty"`
	// Column is where the culprit begins: in the key's value, in bytes, from 1; with
	// a Line, in that, in characters. 0 if there is neither Position nor Line.
	Column int `json:"column,omitempty"`
	// Value is the culprit as written, without surrounding white space.
	Value string `json:"value,omitempty"`
	// Reason says what is wrong and, where it can be guessed, what was meant.
	Reason string `json:"reason"`
}

// String returns the fault on one line, without its severity:
//
//	cidr-global[2] "10.0.0.1/24": host bits set; did you mean 10.0.0.0/24?
//	bgp.yaml:3:11 "65000x": not an AS number
func (f Fault) String() string {
	if f.Value == "" {
		return f.Place() + ": " + f.Reason
	}
	return f.Place() + " " + Quote(f.Value) + ": " + f.Reason
}

// Place returns the key, and the place in its value.
func (f Fault) Place() string {
	key := f.Key
	if !isKey(key) {
		key = Quote(key)
	}
	switch {
	case f.Line > 0:
		return fmt.Sprintf("%s:%d:%d", key, f.Line, f.Column)
	case f.Position > 0:
		return fmt.Sprintf("%s[%d]", key, f.Position)
	}
	return key
}

// isKey tells whether the API server accepts a key in a ConfigMap.
func isKey(key string) bool {
	const most = 253
	return key != "" && len(key) <= most && !strings.ContainsFunc(key, func(c rune) bool {
		return (c < 'a' || 'z' < c) && (c < 'A' || 'Z' < c) && (c < '0' || '9' < c) && !strings.ContainsRune("-._", c)
	})
}

// Quote keeps a fault on one line of readable length, whatever was written.
func Quote(value string) string {
	const most = 80
	if len(value) <= most {
		return strconv.Quote(value)
	}
	return strconv.Quote(strings.ToValidUTF8(value[:most], "")) + "…"
}

// Faults are the faults of one configuration, sorted by key and place.
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
