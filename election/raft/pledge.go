package raft

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"github.com/heraldlb/herald/announcer"
)

// pledge is a node's word that until then it helps nobody but one to hold the VIP.
type pledge struct {
	to    raft.ServerID
	until announcer.BootTime
	// run and at are of the newest question that it answers.
	run uint64
	at  announcer.BootTime
}

// question is what a leader asks with each heartbeat.
type question struct {
	// run is a number of the process that asks, at is when it did, by its own clock.
	run uint64
	at  announcer.BootTime
	// free says that the leader does not hold the VIP: whatever was pledged to it
	// before is not needed any more.
	free bool
	// reign counts the times that it began to hold; it does not go on the wire.
	reign int
}

// pledges is a node's book of what it pledged, and of what was pledged to it.
//
// Who holds the VIP has the pledges of a majority of the voters, its own among them. A
// node pledges itself to one at a time. Two majorities have a node in common: so two
// never hold the VIP at once, whoever is elected, and whatever became of votes.
//
// A pledge runs for length from when it is given, by the clock of who gave it. Who got
// it counts from before it asked, and but four fifths of it: the rest is for clocks that
// do not run at one speed, and for taking the VIP off. A node that starts says nothing
// until what it may have pledged before is over. Voters change one at a time, so that
// the majorities before and after have a node in common too.
type pledges struct {
	self   raft.ServerID
	length time.Duration
	run    uint64

	// wanted: this node leads, and is to hold the VIP.
	wanted bool
	reign  int
	given  pledge
	// got are until when others are pledged to this node.
	got map[raft.ServerID]announcer.BootTime
	// freed are the others that heard that this node does not hold the VIP any more.
	freed map[raft.ServerID]bool
}

func newPledges(self raft.ServerID, length time.Duration, run uint64) *pledges {
	return &pledges{
		self: self, length: length, run: run,
		got: make(map[raft.ServerID]announcer.BootTime), freed: make(map[raft.ServerID]bool),
	}
}

// usable is how much of a pledge counts.
func usable(length time.Duration) time.Duration { return length / 5 * 4 }

// want has this node ask for pledges.
func (p *pledges) want() {
	if !p.wanted {
		p.wanted = true
		clear(p.freed)
	}
}

// vacate says that this node does not hold the VIP, and gives back what it has. Answers
// that are under way count no more.
func (p *pledges) vacate() {
	p.wanted = false
	p.reign++
	clear(p.got)
	if p.given.to == p.self {
		p.given = pledge{}
	}
}

// ask returns what to ask the others now.
func (p *pledges) ask(now announcer.BootTime) question {
	return question{run: p.run, at: now, free: !p.wanted, reign: p.reign}
}

// answer returns for how long this node pledges itself to who asks; 0 is for not at all.
func (p *pledges) answer(now announcer.BootTime, from raft.ServerID, q question) time.Duration {
	given, running := &p.given, now < p.given.until
	switch {
	case q.free:
		// Questions may overtake each other.
		if given.run == q.run && given.at < q.at {
			*given = pledge{}
		}
		return 0
	case running && given.to != from:
		return 0
	case running && given.run != q.run:
		q.run = 0 // Which of the two is over, nobody knows: it has to run out.
	case running:
		q.at = max(q.at, given.at)
	}
	*given = pledge{to: from, until: now.Add(p.length), run: q.run, at: q.at}
	return p.length
}

// take takes in for how long another node pledged itself to this one, as answer to q.
func (p *pledges) take(from raft.ServerID, q question, length time.Duration) {
	switch {
	case q.reign != p.reign:
	case q.free:
		p.freed[from] = true
	case length > 0:
		p.got[from] = max(p.got[from], q.at.Add(usable(length)))
	}
}

// term returns until when this node may hold the VIP; ok is false if it may not. This
// node is pledged to itself until then.
func (p *pledges) term(now announcer.BootTime, voters []raft.ServerID) (until announcer.BootTime, ok bool) {
	if !p.wanted || len(voters) == 0 || p.given.to != p.self && now < p.given.until {
		return 0, false
	}
	all := make([]announcer.BootTime, 0, len(voters))
	for _, v := range voters {
		if v == p.self {
			all = append(all, now.Add(usable(p.length)))
			continue
		}
		all = append(all, p.got[v])
	}
	slices.Sort(all)
	until = all[(len(all)-1)/2] // a majority has this or more
	if until <= now {
		return 0, false
	}
	if p.given.to != p.self {
		p.given = pledge{to: p.self}
	}
	p.given.until = max(p.given.until, until)
	return until, true
}

// isFree reports whether a majority of the voters knows that this node does not hold the
// VIP.
func (p *pledges) isFree(voters []raft.ServerID) bool {
	count := 0
	for _, v := range voters {
		if v == p.self || p.freed[v] {
			count++
		}
	}
	return count > len(voters)/2
}

// questionBytes is how long a question is on the wire.
const questionBytes = 8 + 8 + 1

func (q question) encode() []byte {
	b := make([]byte, 0, questionBytes)
	b = binary.BigEndian.AppendUint64(b, q.run)
	b = binary.BigEndian.AppendUint64(b, uint64(q.at))
	if q.free {
		return append(b, 1)
	}
	return append(b, 0)
}

// decodeQuestion returns false for what is none.
func decodeQuestion(b []byte) (q question, ok bool) {
	if len(b) != questionBytes || b[questionBytes-1] > 1 {
		return q, false
	}
	q.run, q.at = binary.BigEndian.Uint64(b), announcer.BootTime(binary.BigEndian.Uint64(b[8:]))
	q.free = b[questionBytes-1] == 1
	return q, q.run != 0
}

// encodeLength begins with what no address begins with.
func encodeLength(d time.Duration) []byte { return binary.BigEndian.AppendUint64([]byte{0}, uint64(d)) }

// longest bounds what another node's pledge is believed to be, for sums not to overflow.
const longest = time.Hour

// decodeLength returns false for what is no answer to a question.
func decodeLength(b []byte) (d time.Duration, ok bool) {
	if len(b) != 9 || b[0] != 0 {
		return 0, false
	}
	d = time.Duration(binary.BigEndian.Uint64(b[1:]))
	return d, 0 <= d && d <= longest
}
