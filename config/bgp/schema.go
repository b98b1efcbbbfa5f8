package bgp

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"go.yaml.in/yaml/v3"
)

// Field is a key of bgp.yaml, as the reference tells of it.
type Field struct {
	Name string
	// Required tells that it has to be there.
	Required bool
	// Value is what its value may be: type and bounds.
	Value string
	// Default is the value where the key is not there, or what is done then; "" for none.
	Default string
	// Example is a value, as YAML.
	Example string
	// Text says what it is for.
	Text string
	// Fields are the keys of a map, or of the maps in a list.
	Fields []Field
}

// Schema returns all keys of bgp.yaml that Parse knows.
func Schema() []Field { return new(parser).fields().describe() }

// SelectorSchema returns those of a selector.
func SelectorSchema() []Field { return new(parser).fieldsOfSelector(nil).describe() }

// fields are the keys that a map may have.
type fields []field

// field is one of them, by which it is read and explained.
type field struct {
	name     string
	required bool
	content  content
	usual    string // the default in words; else what the content says
	example  string
	text     string
}

// content is what the value of a key may be.
type content struct {
	kind   string                 // type and bounds
	read   func(value *yaml.Node) // reports what is not so
	usual  func() string          // the default; nil: none
	fields func() fields          // of a map, or of the maps in a list
}

func (f fields) describe() []Field {
	var all []Field
	for _, one := range f {
		described := Field{
			Name: one.name, Required: one.required, Value: one.content.kind, Default: one.usual,
			Example: one.example, Text: one.text,
		}
		if one.usual == "" && one.content.usual != nil {
			described.Default = one.content.usual()
		}
		if one.content.fields != nil {
			described.Fields = one.content.fields().describe()
		}
		all = append(all, described)
	}
	return all
}

// kind is a type of scalars.
type kind[T any] struct {
	parse func(text string) (T, error) // whose error does not repeat the text
	words string                       // what parse takes
}

// orNone makes of a kind that of what may be left out.
func orNone[T any](k kind[T]) kind[*T] { return kind[*T]{optional(k.parse), k.words} }

// within is the kind of numbers in bounds.
func within[T uint8 | uint16 | uint32](least, most T) kind[T] {
	return kind[T]{between(least, most), fmt.Sprintf("number, %d to %d", least, most)}
}

// wholeSeconds is that of durations in bounds.
func wholeSeconds(least, most time.Duration) kind[time.Duration] {
	return kind[time.Duration]{seconds(least, most), fmt.Sprintf("duration in whole seconds, %s to %s", shortly(least), shortly(most))}
}

func asNumber() kind[uint32] {
	return kind[uint32]{parseASN, fmt.Sprintf("AS number, 1 to %d, plain or as `1.10` (RFC 5396); not the reserved 23456 and 65535", uint32(math.MaxUint32-1))}
}

func identifier() kind[netip.Addr] {
	return kind[netip.Addr]{parseRouterID, "in the form of an IPv4 address that a host may have"}
}

func routerAddress() kind[netip.Addr] {
	return kind[netip.Addr]{parseRouter, "IP address; a link-local one with its interface, `fe80::1%eth0`"}
}

func hostAddress() kind[netip.Addr] { return kind[netip.Addr]{parseHost, "IP address"} }

func interfaceName() kind[string] {
	return kind[string]{parseInterface, "name of an interface, 1 to 15 bytes"}
}

func objectName() kind[string] {
	return kind[string]{parseName, "1 to 63 letters, digits, `-`, `_` and `.`; no other of its kind has it"}
}

func secretKey() kind[string] {
	return kind[string]{parseSecretKey, "1 to 253 letters, digits, `-`, `_` and `.`"}
}

func hops() kind[uint8] {
	return kind[uint8]{parseMultihop, fmt.Sprintf("`true`, `false` or number, 2 to %d", mostHops)}
}

func holdTime() kind[time.Duration] {
	return kind[time.Duration]{parseHoldTime, fmt.Sprintf("duration in whole seconds, `0s`, or %s to %s", shortly(leastHoldTime), shortly(mostHoldTime))}
}

func restartTime() kind[time.Duration] {
	return kind[time.Duration]{parseGracefulRestart, fmt.Sprintf("`true` (%s), `false` or duration in whole seconds, 0s to %s", shortly(DefaultGracefulRestart), shortly(mostGracefulRestart))}
}

func bfdInterval() kind[time.Duration] {
	return kind[time.Duration]{parseBFDInterval, fmt.Sprintf("duration in whole microseconds, %s to %s", leastBFDInterval, mostBFDInterval)}
}

// written returns a default as it would be written; "" for what is nothing.
func written(value any) string {
	switch v := value.(type) {
	case time.Duration:
		if v != 0 {
			return shortly(v)
		}
	case uint8, uint16, uint32:
		if text := fmt.Sprint(v); text != "0" {
			return text
		}
	}
	return ""
}
