package announcer

import (
	"net/netip"
	"time"
)

// View is the membership as one announcer sees it.
type View struct {
	Node string `json:"node"`
	// Incarnation numbers the run of the announcer.
	Incarnation uint64 `json:"incarnation"`
	// Scheduling says how the timing thread is scheduled: "SCHED_FIFO",
	// "nice -20" or "ordinary".
	Scheduling string `json:"scheduling"`
	// Keyed says that heartbeats are authenticated by a key.
	Keyed bool `json:"keyed"`
	// Alone says that no peer is heard, though the cluster has other nodes.
	Alone bool `json:"alone"`
	// Isolated says that this node is cut off, and has withdrawn.
	Isolated bool     `json:"isolated"`
	Members  []Member `json:"members"`
	// Complaints are what somebody has to mend, such as two nodes of one name.
	Complaints []string `json:"complaints,omitempty"`
	// BFD are the sessions of Facts.BFD.
	BFD []BFDStatus `json:"bfd,omitempty"`
}

// Member is another announcer, as heard on one interface.
type Member struct {
	Node        string        `json:"node"`
	Incarnation uint64        `json:"incarnation"`
	Interface   string        `json:"interface"`
	Source      netip.Addr    `json:"source"`
	State       MemberState   `json:"state"`
	Since       time.Time     `json:"since"`
	Interval    time.Duration `json:"interval"`
	Multiplier  int           `json:"multiplier"`
	// Lost counts the heartbeats that did not come.
	Lost   uint64 `json:"lost"`
	Claims int    `json:"claims"`
	// Standing says that the member takes addresses.
	Standing bool `json:"standing"`
}

// MemberState says if a member is alive.
type MemberState string

// The states of a member.
const (
	Alive MemberState = "Alive"
	// Dead: it was silent for too long.
	Dead MemberState = "Dead"
	// Gone: it said farewell.
	Gone MemberState = "Gone"
)
