// Package figure holds what the benchmark measured beside what is aimed at, and
// prints it.
package figure

// Figure is one thing that was measured.
type Figure struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	// Count is how many measurements it stands for.
	Count int `json:"count"`
	// Values are one value, or the quantiles of many.
	Values []Value `json:"values"`
}

// Value is one value of a figure.
type Value struct {
	// Of is what it is of many measurements: p50, p99 or max; "" of one.
	Of    string  `json:"of,omitempty"`
	Value float64 `json:"value"`
	// Target is what is aimed at; Met says whether it is met. Most figures
	// have none: they explain others.
	Target *Target `json:"target,omitempty"`
	Met    *bool   `json:"met,omitempty"`
}

// Single returns a figure of one value, against a target or nil.
func Single(name, unit string, value float64, count int, target *Target) Figure {
	f := Figure{Name: name, Unit: unit, Count: count, Values: []Value{{Value: value}}}
	f.aim(0, target)
	return f
}

// Against returns the figure with a target for its first value.
func (f Figure) Against(t *Target) Figure {
	f.aim(0, t)
	return f
}

// aim sets a target, which a figure that stands for no measurement misses.
func (f *Figure) aim(i int, t *Target) {
	if t == nil {
		return
	}
	met := f.Count > 0 && t.met(f.Values[i].Value)
	f.Values[i].Target, f.Values[i].Met = t, &met
}
