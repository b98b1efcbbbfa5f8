package wire

import (
	"fmt"
	"testing"

	"github.com/heraldlb/herald/election"
)

// work is one thing that is done for each datagram, again and again.
type work struct {
	name string
	do   func()
}

func (w work) want(reason, got Reason) {
	if reason != got {
		panic(fmt.Sprintf("%s: %v, want %v", w.name, got, reason))
	}
}

// works are what is done for each datagram, with key or without.
func works(key []byte) []work {
	var keys [][]byte
	if key != nil {
		keys = [][]byte{key}
	}
	sealer, opener := NewSealer(cluster, key), NewOpener(cluster, keys...)
	h, out := header(), make([]byte, 0, MaxDatagram)
	encode := func(name string, body any) work {
		return work{"seal " + name, func() {
			var err error
			switch body := body.(type) {
			case *Heartbeat:
				out, err = sealer.AppendHeartbeat(out[:0], h, body)
			case *election.Message:
				out, err = sealer.AppendClaims(out[:0], h, body)
			case *Refusal:
				out, err = sealer.AppendRefusal(out[:0], h, body)
			}
			if err != nil {
				panic(err)
			}
		}}
	}
	var beat Heartbeat
	var message election.Message
	var refused Refusal
	decode := func(name string, body any) work {
		b, err := seal(sealer, h, body)
		if err != nil {
			panic(err)
		}
		w := work{name: "open and decode " + name}
		w.do = func() {
			d, reason := opener.Open(b)
			switch {
			case reason != Accepted:
			case d.Kind == KindHeartbeat:
				reason = d.Heartbeat(&beat)
			case d.Kind == KindClaims:
				reason = d.Claims(&message)
			case d.Kind == KindRefusal:
				reason = d.Refusal(&refused)
			}
			w.want(Accepted, reason)
		}
		return w
	}
	drop := func(name string, b []byte, want Reason) work {
		w := work{name: "drop " + name}
		w.do = func() {
			_, reason := opener.Open(b)
			w.want(want, reason)
		}
		return w
	}
	foreign, err := seal(NewSealer(cluster+1, key), h, heartbeat())
	if err != nil {
		panic(err)
	}
	all := []work{
		encode("heartbeat", heartbeat()), decode("heartbeat", heartbeat()),
		encode("claims", fullUpdate()), decode("claims", fullUpdate()),
		encode("refusal", refusal()), decode("refusal", refusal()),
		drop("cluster", foreign, OtherCluster),
	}
	if key != nil {
		forged, err := seal(NewSealer(cluster, other), h, heartbeat())
		if err != nil {
			panic(err)
		}
		all = append(all, drop("forged", forged, Forged))
	}
	return all
}

// Nothing is allocated for a datagram, whichever way it goes.
func TestAllocations(t *testing.T) {
	for _, key := range [][]byte{nil, key} {
		for _, w := range works(key) {
			w.do()
			if n := testing.AllocsPerRun(100, w.do); n != 0 {
				t.Errorf("%s, key of %d bytes: %v allocations", w.name, len(key), n)
			}
		}
	}
}

func BenchmarkDatagram(b *testing.B) {
	for name, key := range map[string][]byte{"unkeyed": nil, "keyed": key} {
		for _, w := range works(key) {
			b.Run(name+"/"+w.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					w.do()
				}
			})
		}
	}
}
