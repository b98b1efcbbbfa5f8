package controlplane

import (
	"slices"
	"testing"
	"time"

	"github.com/heraldlb/herald/e2e/plane"
)

func at(s int) time.Time { return time.Unix(int64(s), 0) }

// Two have the VIP for 2 to 10, and again for 20 to 21.
func both() []plane.Span {
	return []plane.Span{
		{Host: "a", VIP: "v", From: at(0), To: at(10)},
		{Host: "b", VIP: "v", From: at(2), To: at(20)},
		{Host: "b", VIP: "w", From: at(0), To: at(99)},
		{Host: "c", VIP: "v", From: at(18), To: at(21)},
	}
}

func TestDual(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		name    string
		excuses []excuse
		ends    []end
		want    []time.Duration
		healed  []time.Duration
	}{
		{"nothing is excused", nil, nil, []time.Duration{8 * s, 2 * s}, nil},
		{"apart, and a second longer", []excuse{{"a", period{at(1), at(9)}}}, nil, []time.Duration{2 * s}, []time.Duration{1 * s}},
		{"apart in between", []excuse{{"a", period{at(3), at(9)}}}, nil, []time.Duration{1 * s, 2 * s}, []time.Duration{1 * s}},
		{"another was cut off", []excuse{{"c", period{at(0), at(99)}}}, nil, []time.Duration{8 * s}, nil},
		{"the one before had ended", nil, []end{{"a", at(2)}, {"b", at(19)}}, []time.Duration{1 * s}, nil},
		{"what comes after an end counts", nil, []end{{"c", at(5)}}, []time.Duration{8 * s, 2 * s}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			others, healed := dual(ended(both(), test.ends), test.excuses)
			if !slices.Equal(others, test.want) || !slices.Equal(healed, test.healed) {
				t.Errorf("two at once for %v, after a heal %v; want %v, %v", others, healed, test.want, test.healed)
			}
		})
	}
}
