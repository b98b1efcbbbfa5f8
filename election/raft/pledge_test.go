package raft

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/heraldlb/herald/announcer"
)

// length is that of the pledges of these tests.
const length = 300 * time.Millisecond

// sheep is a node of a flock whose raft follows anybody.
type sheep struct {
	*pledges
	// Its clock shows born at the time zero, and runs at rate.
	born announcer.BootTime
	rate float64
	// silent is until when it says nothing, by its own clock.
	silent announcer.BootTime
	// held is until when it holds the VIP, by the world's clock.
	held time.Duration
}

func (s *sheep) now(at time.Duration) announcer.BootTime {
	return s.born + announcer.BootTime(float64(at)*s.rate)
}

// letter is a question under way, or its answer.
type letter struct {
	from, to int
	run      uint64
	question question
	answered bool
	length   time.Duration
}

// Whoever leads, several at once too, whatever letters come late, in another order or
// never, whichever node starts anew with another clock: two never hold the VIP at once.
func TestPledgesNeverTwo(t *testing.T) {
	var terms, moves int
	for seed := range uint64(5000) {
		random := rand.New(rand.NewPCG(seed, 0))
		flock := make([]*sheep, 1+random.IntN(5))
		var voters []raft.ServerID
		run := uint64(0)
		begin := func(i int, at time.Duration) {
			run++
			s := &sheep{pledges: newPledges(raft.ServerID(rune('a'+i)), length, run), rate: 0.9 + random.Float64()/5}
			if random.IntN(2) == 0 {
				s.born = announcer.BootTime(random.Int64N(int64(time.Hour)))
			}
			s.silent = s.now(at).Add(length)
			if flock[i] != nil {
				s.held = flock[i].held
			}
			flock[i] = s
		}
		for i := range flock {
			begin(i, 0)
			voters = append(voters, flock[i].self)
		}
		var post []letter
		var at time.Duration
		last := -1
		for range 600 {
			at += time.Duration(random.Int64N(int64(5 * time.Millisecond)))
			i := random.IntN(len(flock))
			s := flock[i]
			now := s.now(at)
			if now < s.silent {
				continue
			}
			switch random.IntN(30) {
			case 0:
				begin(i, at)
				continue
			case 1:
				s.held = min(s.held, at)
				s.vacate()
			case 2, 3:
				s.want()
			case 4:
				at += time.Duration(random.Int64N(int64(length)))
			case 5, 6, 7, 8, 9, 10, 11:
				for to := range flock {
					if to != i {
						post = append(post, letter{from: i, to: to, run: s.run, question: s.ask(now)})
					}
				}
			default:
				mine := func(l letter) bool { return l.to == i && !l.answered || l.from == i && l.answered }
				newest := random.IntN(3) > 0
				which := -1
				for j, l := range post {
					if mine(l) && (which < 0 || newest || random.IntN(2) == 0) {
						which = j
					}
				}
				if which < 0 {
					continue
				}
				l := post[which]
				if random.IntN(8) > 0 {
					post = slices.Delete(post, which, which+1)
				}
				switch {
				case !l.answered:
					l.length, l.answered = s.answer(now, flock[l.from].self, l.question), true
					post = append(post, l)
				case l.run == s.run:
					s.take(flock[l.to].self, l.question, l.length)
				}
			}
			until, ok := s.term(now, voters)
			if !ok {
				continue
			}
			terms++
			for other, o := range flock {
				if other != i && o.held > at {
					t.Fatalf("seed %d: after %s, %s holds the VIP until %s, and %s begins", seed, at, o.self, o.held, s.self)
				}
			}
			if last != i {
				moves++
			}
			last, s.held = i, time.Duration(float64(until-s.born)/s.rate)
		}
	}
	t.Logf("%d terms, %d moves", terms, moves)
	if moves < 1000 {
		t.Errorf("the VIP moved %d times: this proves little", moves)
	}
}

// A holder that gives the VIP up has the next one wait for nothing.
func TestFree(t *testing.T) {
	voters := []raft.ServerID{"a", "b", "c"}
	a, b, c := newPledges("a", length, 1), newPledges("b", length, 2), newPledges("c", length, 3)
	ask := func(now announcer.BootTime, of, from *pledges) {
		q := of.ask(now)
		of.take(from.self, q, from.answer(now, of.self, q))
	}
	now := announcer.BootTime(time.Hour)
	a.want()
	if _, ok := a.term(now, voters); ok {
		t.Fatal("a term that nobody pledged")
	}
	ask(now, a, b)
	ask(now, a, c)
	if until, ok := a.term(now, voters); !ok || until != now.Add(length*4/5) {
		t.Fatalf("a term until %d, %v; want four fifths of %s", until-now, ok, length)
	}
	b.want()
	now++
	ask(now, b, c)
	if _, ok := b.term(now, voters); ok {
		t.Fatal("a second holder")
	}
	a.vacate()
	if a.isFree(voters) {
		t.Error("free, and nobody knows")
	}
	ask(now, a, b)
	ask(now, a, c)
	if !a.isFree(voters) {
		t.Error("not free, and all know")
	}
	ask(now, b, c)
	if _, ok := b.term(now, voters); !ok {
		t.Error("no term after the holder before gave up")
	}
}

// What was said before does not undo what was said after it, whatever comes first.
func TestFreeTooLate(t *testing.T) {
	for name, questions := range map[string][]question{
		"overtaken":                        {{run: 1, at: 3}, {run: 1, at: 2, free: true}},
		"overtaken twice":                  {{run: 1, at: 3}, {run: 1, at: 1}, {run: 1, at: 2, free: true}},
		"of the process before":            {{run: 2, at: 1}, {run: 1, at: 9, free: true}},
		"of the process before, and asked": {{run: 2, at: 1}, {run: 1, at: 8}, {run: 1, at: 9, free: true}},
	} {
		b := newPledges("b", length, 3)
		now := announcer.BootTime(time.Hour)
		for _, q := range questions {
			now++
			b.answer(now, "a", q)
		}
		if got := b.answer(now, "c", question{run: 4, at: 1}); got != 0 {
			t.Errorf("%s: pledged to another for %s", name, got)
		}
	}
}

func FuzzQuestion(f *testing.F) {
	f.Add(question{run: 1, at: 2, free: true}.encode())
	f.Add([]byte("192.0.2.1:9647"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, ok := decodeQuestion(b); ok && !slices.Equal(q.encode(), b) {
			t.Errorf("%x is read as %+v", b, q)
		}
		if d, ok := decodeLength(b); ok && !slices.Equal(encodeLength(d), b) {
			t.Errorf("%x is read as %s", b, d)
		}
	})
}
