package l2

import "time"

// Timing says when frames are sent. DefaultTiming has the values of use.
type Timing struct {
	// Repeats are the announcements after the first, each as long after the
	// one before it, for those who missed that.
	Repeats []time.Duration
	// Refresh is the time between announcements after the repeats; 0: none.
	Refresh time.Duration

	// Rate and Burst bound the frames that are sent unasked, on all interfaces
	// together: frames a second, and frames at once.
	Rate  float64
	Burst int

	// Probes ask who uses an address before it is announced, ProbeInterval
	// apart; the address is free after ProbeWait more without an answer.
	Probes        int
	ProbeInterval time.Duration
	ProbeWait     time.Duration
	// RetryMin is the time until an address in conflict is probed again. It
	// doubles with each conflict, up to RetryMax.
	RetryMin, RetryMax time.Duration

	// SecondLook is how long a stranger that uses an announced address is
	// suffered: it may be another node of ours that is about to let go. Who is
	// seen again later than half of it after the first time is a stranger.
	SecondLook time.Duration
	// DefendInterval is the least time between two defences of an address
	// (DEFEND_INTERVAL of RFC 5227), and between two reports of its stranger.
	DefendInterval time.Duration
	// Quiet is how long a stranger has to be silent to be forgotten.
	Quiet time.Duration
}

// DefaultTiming is for a LAN of today. A packet socket with Linux' default
// buffer holds some 270 frames: 64 at once from each of a few nodes, and 50,000 a
// second from all of them, do not overrun a reader on a busy machine; 256 at once
// do at 30,000 a second. A bridge and the kernel's own neighbour table lose none
// at any rate. RFC 5227 section 1.1 takes seconds to
// probe, for links that are slow or come up late; here an address is probed
// for 40 ms, for somebody waits for it.
func DefaultTiming() Timing {
	return Timing{
		Repeats:        []time.Duration{100 * time.Millisecond, time.Second, 2 * time.Second},
		Rate:           25_000, // 17 Mbit/s
		Burst:          64,
		Probes:         3,
		ProbeInterval:  10 * time.Millisecond,
		ProbeWait:      20 * time.Millisecond,
		RetryMin:       time.Second,
		RetryMax:       time.Minute,
		SecondLook:     time.Second,
		DefendInterval: 10 * time.Second,
		Quiet:          5 * time.Minute,
	}
}
