package bgp

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// community is a standard or a large one.
type community struct {
	standard uint32
	large    LargeCommunity
	isLarge  bool
}

// wellKnown returns the communities that have a name.
func wellKnown() map[string]uint32 {
	return map[string]uint32{
		"graceful-shutdown":   0xffff0000, // RFC 8326
		"blackhole":           0xffff029a, // RFC 7999
		"no-export":           0xffffff01, // RFC 1997
		"no-advertise":        0xffffff02, // RFC 1997
		"no-export-subconfed": 0xffffff03, // RFC 1997
		"local-as":            0xffffff03, // what routers call it
	}
}

// communityNames returns their names, sorted.
func communityNames() []string { return slices.Sorted(maps.Keys(wellKnown())) }

// parseCommunity reads 64512:100, 64512:1:2 or a name.
func parseCommunity(text string) (community, error) {
	if value, ok := wellKnown()[text]; ok {
		return community{standard: value}, nil
	}
	parts := strings.Split(text, ":")
	switch len(parts) {
	case 2:
		high, errHigh := parseUint(parts[0], math.MaxUint16)
		low, errLow := parseUint(parts[1], math.MaxUint16)
		if errHigh != nil || errLow != nil {
			return community{}, errors.New("not a standard community: two numbers from 0 to 65535 (RFC 1997); larger ones need a large one, 64512:1:2")
		}
		return community{standard: uint32(high<<16 | low)}, nil
	case 3:
		var n [3]uint32
		for i, part := range parts {
			value, err := parseUint(part, math.MaxUint32)
			if err != nil {
				return community{}, errors.New("not a large community: three numbers from 0 to 4294967295 (RFC 8092)")
			}
			n[i] = uint32(value)
		}
		return community{large: LargeCommunity{n[0], n[1], n[2]}, isLarge: true}, nil
	}
	if n, err := parseUint(text, math.MaxUint32); err == nil {
		return community{}, fmt.Errorf("not a community; did you mean %s?", FormatCommunity(uint32(n)))
	}
	names := communityNames()
	return community{}, fmt.Errorf("not a community such as 64512:100 or 64512:1:2, nor one of %s%s",
		strings.Join(names, ", "), didYouMean(text, names))
}

// FormatCommunity returns a standard community as it is written, 64512:100.
func FormatCommunity(c uint32) string { return fmt.Sprintf("%d:%d", c>>16, c&math.MaxUint16) }

// String returns the community as it is written, 64512:1:2.
func (c LargeCommunity) String() string {
	return fmt.Sprintf("%d:%d:%d", c.Global, c.Local1, c.Local2)
}
