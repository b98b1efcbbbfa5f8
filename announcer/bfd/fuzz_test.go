package bfd

import (
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer/bfd/packet"
)

// Whatever a router says, and when, a session is never Up with one that it does not know,
// answers what it hears with two packets at most, and then has nothing to do for a while.
func FuzzSession(f *testing.F) {
	up := packet.Packet{State: packet.Up, Multiplier: 3, My: 7, Your: 1, DesiredMinTx: 50 * time.Millisecond, RequiredMinRx: 50 * time.Millisecond}
	down := up
	down.State, down.Poll = packet.Down, true
	f.Add(append(down.Append([]byte{10}), up.Append([]byte{200})...))
	f.Add(append(up.Append([]byte{255}), down.Append([]byte{0})...))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newSession(0, 1, 50*time.Millisecond, 3, func(d time.Duration) time.Duration { return d / 3 })
		now := moment(0)
		for len(b) > packet.Size {
			now += time.Duration(b[0]) * 3 * time.Millisecond
			s.expire(now)
			switch b[0] % 16 {
			case 1:
				s.excuse(now, time.Second)
			case 2:
				s.configure(time.Duration(10+int(b[1]))*time.Millisecond, max(b[2], 2))
			case 3:
				s.join(now)
			case 4:
				s.leave(now)
			}
			var p packet.Packet
			if p.Parse(b[1:1+packet.Size]) == packet.Accepted {
				s.receive(now, &p)
			}
			b = b[1+packet.Size:]
			sent := 0
			for s.emit(now, &p) {
				if sent++; sent > 2 {
					t.Fatal("too many packets")
				}
			}
			if s.state == packet.Up && s.remote.discriminator == 0 {
				t.Fatal("Up with nobody")
			}
			if at := s.next(); at <= now && s.deadline() > now {
				t.Fatalf("asked again at %s, which is not later than %s", at, now)
			}
		}
	})
}
