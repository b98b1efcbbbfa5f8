package health

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

func TestHysteresis(t *testing.T) {
	for name, c := range map[string]struct {
		failures, successes int
		outcomes, changes   string // + and -, and . for none
	}{
		"first success counts":                      {2, 2, "+", "+"},
		"first success counts after failures":       {2, 2, "---+", ".-.+"},
		"one failure before the first success":      {2, 2, "-+--", ".+.-"},
		"one failure is none":                       {2, 2, "+-+-+-+", "+......"},
		"two are":                                   {2, 2, "+--", "+.-"},
		"one success is none, but for the first":    {2, 2, "+--+-+-++", "+.-.....+"},
		"thresholds of one follow each outcome":     {1, 1, "-+-+", "-+-+"},
		"three":                                     {3, 4, "+--+---+++-++++", "+.....-.......+"},
		"what is said is said once":                 {2, 2, "++++----++++", "+....-...+.."},
		"an unready one that stumbles on a success": {2, 3, "+--++-+++", "+.-.....+"},
	} {
		t.Run(name, func(t *testing.T) {
			h := hysteresis{failures: c.failures, successes: c.successes}
			var got []byte
			for _, outcome := range c.outcomes {
				said := byte('.')
				if h.observe(outcome == '+') {
					said = map[bool]byte{true: '+', false: '-'}[h.ready]
				}
				got = append(got, said)
			}
			if string(got) != c.changes {
				t.Errorf("of %s: %s, want %s", c.outcomes, got, c.changes)
			}
		})
	}
}

// word is what a prober said, and when.
type word struct {
	at    time.Duration
	ready bool
}

// play runs a prober in a bubble, whose probes are the function, and returns its
// words.
func play(t *testing.T, length time.Duration, probe func(at time.Duration, p *Prober) error) (words []word) {
	t.Helper()
	p, err := New(Options{URL: "https://127.0.0.1:6443", CA: "ca.crt"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	p.probe = func(context.Context) error { return probe(time.Since(start), p) }
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	ended := make(chan error)
	go func() { ended <- p.Run(ctx) }()
	for {
		select {
		case ready := <-p.Ready():
			words = append(words, word{time.Since(start), ready})
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
			return words
		}
	}
}

func TestTiming(t *testing.T) {
	refused := &wrapped{unix.ECONNREFUSED}
	for name, c := range map[string]struct {
		probe func(at time.Duration, p *Prober) error
		want  []word
	}{
		"a server that turns unready is asked again after a period": {
			func(at time.Duration, _ *Prober) error {
				if at < 900*time.Millisecond {
					return nil
				}
				return errors.New("500")
			},
			[]word{{0, true}, {1500 * time.Millisecond, false}},
		},
		"one that refuses, soon": {
			func(at time.Duration, _ *Prober) error {
				if at < 900*time.Millisecond {
					return nil
				}
				return refused
			},
			[]word{{0, true}, {1100 * time.Millisecond, false}},
		},
		"one whose connection breaks, at once": {
			func(at time.Duration, p *Prober) error {
				if at >= 700*time.Millisecond {
					return io.EOF
				}
				if at == 500*time.Millisecond {
					time.AfterFunc(200*time.Millisecond, func() { p.broken <- struct{}{} })
				}
				return nil
			},
			[]word{{0, true}, {800 * time.Millisecond, false}},
		},
		"one that is not up yet": {
			func(at time.Duration, _ *Prober) error {
				if at < 2*time.Second {
					return refused
				}
				return nil
			},
			[]word{{100 * time.Millisecond, false}, {2100 * time.Millisecond, true}},
		},
		"one that comes back": {
			func(at time.Duration, _ *Prober) error {
				if at > 400*time.Millisecond && at < 1700*time.Millisecond {
					return refused
				}
				return nil
			},
			[]word{{0, true}, {600 * time.Millisecond, false}, {2600 * time.Millisecond, true}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := play(t, 3*time.Second, c.probe)
				if len(got) != len(c.want) {
					t.Fatalf("%v, want %v", got, c.want)
				}
				for i := range got {
					if got[i] != c.want[i] {
						t.Errorf("%v, want %v", got, c.want)
					}
				}
			})
		})
	}
}

// A server that closes each connection is not asked more than ten times a second.
func TestRestless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		count := 0
		play(t, 10*time.Second+time.Millisecond, func(_ time.Duration, p *Prober) error {
			count++
			select {
			case p.broken <- struct{}{}:
			default:
			}
			return nil
		})
		if count != 101 {
			t.Errorf("%d probes in 10 s", count)
		}
	})
}

type wrapped struct{ error }

func (w *wrapped) Unwrap() error { return w.error }
