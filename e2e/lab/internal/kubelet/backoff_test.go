package kubelet

import (
	"slices"
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	var b backoff
	var delays []time.Duration
	for range 9 {
		delays = append(delays, b.next(time.Second))
	}
	delays = append(delays, b.next(2*backoffMax+time.Second), b.next(time.Second)) // recovered
	s := time.Second
	want := []time.Duration{0, s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s, 0, s}
	if !slices.Equal(delays, want) {
		t.Errorf("%v, want %v", delays, want)
	}
}
