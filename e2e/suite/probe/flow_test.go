package main

import (
	"testing"
	"time"
)

func TestOutage(t *testing.T) {
	for name, tt := range map[string]struct {
		results []loss
		want    time.Duration
	}{
		"none":              {[]loss{{Began: 0}, {Began: 10}, {Began: 20}}, 10},
		"in the middle":     {[]loss{{Began: 0}, {Began: 10, Error: "none"}, {Began: 20, Resent: 1}, {Began: 30}}, 30},
		"in another order":  {[]loss{{Began: 20}, {Began: 0}, {Began: 10}}, 10},
		"from the begin":    {[]loss{{Began: 0, Error: "none"}, {Began: 25}}, 25},
		"until the end":     {[]loss{{Began: 0}, {Began: 10, Error: "none"}}, 30},
		"nothing was asked": {nil, 30},
	} {
		t.Run(name, func(t *testing.T) {
			var s summary
			for _, result := range tt.results {
				s.add(0, result)
			}
			if s.finish(30); s.Outage != tt.want {
				t.Errorf("outage %d, want %d", s.Outage, tt.want)
			}
		})
	}
}
