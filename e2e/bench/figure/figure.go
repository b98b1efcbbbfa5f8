// Package figure holds what the benchmark measured beside what is aimed at, and
// prints it.
package figure

// Figure is one measured value.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Count is how many measurements the value stands for.
	Count int `json:"count"`
	// Target is what is aimed at; Met says whether it is met. Most figures
	// have none: they explain others.
	Target *Target `json:"target,omitempty"`
	Met    *bool   `json:"met,omitempty"`
}

// Against returns the figure with a target. One that stands for no measurement
// meets none.
func (f Figure) Against(t *Target) Figure {
	met := f.Count > 0 && t.met(f.Value)
	f.Target, f.Met = t, &met
	return f
}
