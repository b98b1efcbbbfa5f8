package l2

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/frame"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/internal/transcript"
)

// Each file of testdata/engine is a transcript: a line that starts with ">" is
// what the engine is told, those below it are what it wants done. With
// -update, the files are written anew.
func TestEngine(t *testing.T) {
	transcript.Run(t, "testdata/engine/*.txt", func(t *testing.T) func([]string) []string {
		s := newScript()
		return func(words []string) []string {
			s.said = nil
			s.tell(t, words)
			s.print()
			return s.said
		}
	})
}

// script is what an engine is told.
type script struct {
	start, now time.Time
	engine     *engine
	interfaces map[string]*link.Interface
	names      map[uint64]string // by epoch
	full       map[string]bool
	epochs     uint64
	said       []string
}

func newScript() *script {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	timing := DefaultTiming()
	timing.RetryMin, timing.RetryMax = time.Second, 3*time.Second
	return &script{
		start: start, now: start,
		engine:     newEngine(timing, func(time.Duration) time.Duration { return 0 }),
		interfaces: make(map[string]*link.Interface),
		names:      make(map[uint64]string),
		full:       make(map[string]bool),
	}
}

// tell carries out one line:
//
//	up NAME PREFIX…               an interface comes up, or up again, or gets other prefixes
//	prefix NAME PREFIX…           an interface gets other prefixes
//	down NAME
//	put ADDRESS [probe] [on NAME]
//	put N from ADDRESS [probe]
//	delete ADDRESS
//	again ADDRESS                 another node of ours answered too, and no longer does
//	see NAME ADDRESS MAC [probe]  a station uses, or probes for, an address
//	flood NAME ADDRESS COUNT      so many stations use an address, one each millisecond
//	refuse ADDRESS                the interface has no room for the last frame
//	full NAME                     an interface takes no frames
//	room NAME                     and takes them again
//	rate PER-SECOND BURST
//	refresh DURATION
//	wait DURATION
func (s *script) tell(t *testing.T, words []string) {
	t.Helper()
	e, args := s.engine, words[1:]
	switch words[0] {
	case "up":
		s.epochs++
		s.names[s.epochs] = args[0]
		index := byte(cmp.Compare(args[0], "eth0") + 1)
		s.interfaces[args[0]] = &link.Interface{Name: args[0], Up: true, Epoch: s.epochs, MAC: frame.MAC{2, 0, 0, 0, 0, index}, Prefixes: prefixes(args[1:])}
		s.setInterfaces()
	case "prefix":
		s.interfaces[args[0]].Prefixes = prefixes(args[1:])
		s.setInterfaces()
	case "down":
		s.interfaces[args[0]].Up = false
		s.setInterfaces()
	case "put":
		s.put(t, args)
	case "delete":
		e.delete(s.now, netip.MustParseAddr(args[0]))
	case "again":
		e.again(s.now, netip.MustParseAddr(args[0]))
	case "see":
		s.see(t, args)
	case "refuse":
		e.refused(s.now, task{kind: sendAnnouncement, addr: netip.MustParseAddr(args[0]), turn: e.entries[netip.MustParseAddr(args[0])].turn, epoch: s.epochs})
	case "flood":
		s.flood(t, args)
	case "full", "room":
		s.full[args[0]] = words[0] == "full"
	case "rate":
		var perSecond float64
		var burst int
		scan(t, strings.Join(args, " "), "%g %d", &perSecond, &burst)
		e.timing.Rate, e.timing.Burst = perSecond, burst
		e.agenda = newAgenda(perSecond, burst)
	case "refresh":
		e.timing.Refresh = duration(t, args[0])
	case "wait":
		s.wait(duration(t, args[0]))
		return
	default:
		t.Fatalf("what is %q?", words)
	}
	e.advance(s.now)
}

func (s *script) put(t *testing.T, args []string) {
	t.Helper()
	count, first := 1, args[0]
	if len(args) > 2 && args[1] == "from" {
		scan(t, args[0], "%d", &count)
		first, args = args[2], args[2:]
	}
	a := announcer.Announcement{Address: netip.MustParseAddr(first), Probe: slices.Contains(args, "probe")}
	if i := slices.Index(args, "on"); i > 0 {
		a.Interface = args[i+1]
	}
	for range count {
		s.engine.put(s.now, a, s.engine.many(count))
		a.Address = a.Address.Next()
	}
}

func (s *script) see(t *testing.T, args []string) {
	t.Helper()
	mac := frame.MAC(parseMAC(t, args[2]))
	counted := s.engine.sighted(s.now, sighting{
		addr: netip.MustParseAddr(args[1]), mac: mac, probe: len(args) > 3, epoch: s.interfaces[args[0]].Epoch,
	})
	if counted {
		s.line("conflict counted")
	}
}

func (s *script) flood(t *testing.T, args []string) {
	t.Helper()
	n := 0
	scan(t, args[2], "%d", &n)
	for i := range n {
		s.engine.sighted(s.now, sighting{
			addr: netip.MustParseAddr(args[1]), mac: frame.MAC{2, 1, 0, 0, byte(i >> 8), byte(i)}, epoch: s.interfaces[args[0]].Epoch,
		})
		s.print()
		s.wait(time.Millisecond)
	}
}

func (s *script) setInterfaces() {
	var all []link.Interface
	for _, name := range slices.Sorted(maps.Keys(s.interfaces)) {
		all = append(all, *s.interfaces[name])
	}
	s.engine.setInterfaces(s.now, all)
}

// wait lets time pass, as the loop of an announcer does.
func (s *script) wait(d time.Duration) {
	end := s.now.Add(d)
	for {
		at, ok := s.engine.next(s.now)
		if !ok || at.After(end) {
			break
		}
		if at.After(s.now) {
			s.now = at
		}
		s.engine.advance(s.now)
		s.print()
	}
	s.now = end
}

// print writes what the engine wants done; frames in bulk are counted.
func (s *script) print() {
	wanted := s.engine.take()
	s.printRoles(wanted.roles)
	for _, st := range wanted.statuses {
		line := fmt.Sprintf("%s is %s", st.Address, st.State)
		if len(st.Interfaces) > 0 {
			line += " on " + strings.Join(st.Interfaces, ",")
		}
		if st.Stranger != nil {
			line += ", stranger " + st.Stranger.String()
		}
		if st.Since != s.now {
			line += " since " + st.Since.Sub(s.start).String()
		}
		s.lines(line, len(wanted.statuses))
	}
	counts := map[taskKind]int{}
	for _, f := range wanted.frames {
		verb := "send"
		if s.full[s.names[f.epoch]] {
			verb = "fail to send"
			s.engine.refused(s.now, f)
		}
		if f.bulk {
			counts[f.kind]++
			continue
		}
		s.line(fmt.Sprintf("%s %s for %s on %s", verb, kindName(f.kind), f.addr, s.names[f.epoch]))
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		s.line(fmt.Sprintf("send %d × %s", counts[kind], kindName(kind)))
	}
}

// few is how many of a kind are written out.
const few = 8

func (s *script) printRoles(roles map[portKey]map[netip.Addr]role) {
	var lines []string
	for key, changes := range roles {
		for addr, r := range changes {
			name := [...]string{ignored: "ignore", watched: "watch", answered: "answer for"}[r]
			lines = append(lines, fmt.Sprintf("%s %s on %s", name, addr, s.names[key.epoch]))
		}
	}
	slices.Sort(lines)
	for _, l := range lines {
		s.lines(l, len(lines))
	}
}

func (s *script) lines(text string, of int) {
	if of <= few {
		s.line(text)
	}
}

func (s *script) line(text string) {
	s.said = append(s.said, fmt.Sprintf("%8s  %s", s.now.Sub(s.start).Round(100*time.Microsecond), text))
}

func kindName(k taskKind) string {
	return [...]string{sendProbe: "probe", sendAnnouncement: "announcement", sendRepeat: "repeat"}[k]
}
