package l2

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/frame"
	"github.com/heraldlb/herald/announcer/l2/link"
)

// Each file of testdata/engine is a transcript: a line that starts with ">" is
// what the engine is told, those below it are what it wants done. With
// -update, the files are written anew.
func TestEngine(t *testing.T) {
	update := flag.Lookup("update").Value.String() == "true"
	files, err := filepath.Glob("testdata/engine/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("transcripts: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := string(b)
			got := newTranscript().replay(t, want)
			if update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if d := gocmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// transcript replays what an engine is told.
type transcript struct {
	start, now time.Time
	engine     *engine
	interfaces map[string]*link.Interface
	names      map[uint64]string // by epoch
	full       map[string]bool
	epochs     uint64
	out        strings.Builder
}

func newTranscript() *transcript {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	timing := DefaultTiming()
	timing.RetryMin, timing.RetryMax = time.Second, 3*time.Second
	return &transcript{
		start: start, now: start,
		engine:     newEngine(timing, func(time.Duration) time.Duration { return 0 }),
		interfaces: make(map[string]*link.Interface),
		names:      make(map[uint64]string),
		full:       make(map[string]bool),
	}
}

func (tr *transcript) replay(t *testing.T, text string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, ">"):
			tr.out.WriteString(line)
			tr.tell(t, strings.Fields(line[1:]))
			tr.print()
		case strings.HasPrefix(line, "#"), line == "\n":
			tr.out.WriteString(line)
		}
	}
	return tr.out.String()
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
func (tr *transcript) tell(t *testing.T, words []string) {
	t.Helper()
	e, args := tr.engine, words[1:]
	switch words[0] {
	case "up":
		tr.epochs++
		tr.names[tr.epochs] = args[0]
		index := byte(cmp.Compare(args[0], "eth0") + 1)
		tr.interfaces[args[0]] = &link.Interface{Name: args[0], Up: true, Epoch: tr.epochs, MAC: frame.MAC{2, 0, 0, 0, 0, index}, Prefixes: prefixes(args[1:])}
		tr.setInterfaces()
	case "prefix":
		tr.interfaces[args[0]].Prefixes = prefixes(args[1:])
		tr.setInterfaces()
	case "down":
		tr.interfaces[args[0]].Up = false
		tr.setInterfaces()
	case "put":
		tr.put(t, args)
	case "delete":
		e.delete(tr.now, netip.MustParseAddr(args[0]))
	case "again":
		e.again(tr.now, netip.MustParseAddr(args[0]))
	case "see":
		tr.see(t, args)
	case "refuse":
		e.refused(tr.now, task{kind: sendAnnouncement, addr: netip.MustParseAddr(args[0]), turn: e.entries[netip.MustParseAddr(args[0])].turn, epoch: tr.epochs})
	case "flood":
		tr.flood(t, args)
	case "full", "room":
		tr.full[args[0]] = words[0] == "full"
	case "rate":
		var perSecond float64
		var burst int
		scan(t, strings.Join(args, " "), "%g %d", &perSecond, &burst)
		e.timing.Rate, e.timing.Burst = perSecond, burst
		e.agenda = newAgenda(perSecond, burst)
	case "refresh":
		e.timing.Refresh = duration(t, args[0])
	case "wait":
		tr.wait(duration(t, args[0]))
		return
	default:
		t.Fatalf("what is %q?", words)
	}
	e.advance(tr.now)
}

func (tr *transcript) put(t *testing.T, args []string) {
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
		tr.engine.put(tr.now, a, tr.engine.many(count))
		a.Address = a.Address.Next()
	}
}

func (tr *transcript) see(t *testing.T, args []string) {
	t.Helper()
	mac := frame.MAC(parseMAC(t, args[2]))
	counted := tr.engine.sighted(tr.now, sighting{
		addr: netip.MustParseAddr(args[1]), mac: mac, probe: len(args) > 3, epoch: tr.interfaces[args[0]].Epoch,
	})
	if counted {
		tr.line("conflict counted")
	}
}

func (tr *transcript) flood(t *testing.T, args []string) {
	t.Helper()
	n := 0
	scan(t, args[2], "%d", &n)
	for i := range n {
		tr.engine.sighted(tr.now, sighting{
			addr: netip.MustParseAddr(args[1]), mac: frame.MAC{2, 1, 0, 0, byte(i >> 8), byte(i)}, epoch: tr.interfaces[args[0]].Epoch,
		})
		tr.print()
		tr.wait(time.Millisecond)
	}
}

func (tr *transcript) setInterfaces() {
	var all []link.Interface
	for _, name := range slices.Sorted(maps.Keys(tr.interfaces)) {
		all = append(all, *tr.interfaces[name])
	}
	tr.engine.setInterfaces(tr.now, all)
}

// wait lets time pass, as the loop of an announcer does.
func (tr *transcript) wait(d time.Duration) {
	end := tr.now.Add(d)
	for {
		at, ok := tr.engine.next(tr.now)
		if !ok || at.After(end) {
			break
		}
		if at.After(tr.now) {
			tr.now = at
		}
		tr.engine.advance(tr.now)
		tr.print()
	}
	tr.now = end
}

// print writes what the engine wants done; frames in bulk are counted.
func (tr *transcript) print() {
	wanted := tr.engine.take()
	tr.printRoles(wanted.roles)
	for _, s := range wanted.statuses {
		line := fmt.Sprintf("%s is %s", s.Address, s.State)
		if len(s.Interfaces) > 0 {
			line += " on " + strings.Join(s.Interfaces, ",")
		}
		if s.Stranger != nil {
			line += ", stranger " + s.Stranger.String()
		}
		if s.Since != tr.now {
			line += " since " + s.Since.Sub(tr.start).String()
		}
		tr.lines(line, len(wanted.statuses))
	}
	counts := map[taskKind]int{}
	for _, f := range wanted.frames {
		verb := "send"
		if tr.full[tr.names[f.epoch]] {
			verb = "fail to send"
			tr.engine.refused(tr.now, f)
		}
		if f.bulk {
			counts[f.kind]++
			continue
		}
		tr.line(fmt.Sprintf("%s %s for %s on %s", verb, kindName(f.kind), f.addr, tr.names[f.epoch]))
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		tr.line(fmt.Sprintf("send %d × %s", counts[kind], kindName(kind)))
	}
}

// few is how many of a kind are written out.
const few = 8

func (tr *transcript) printRoles(roles map[portKey]map[netip.Addr]role) {
	var lines []string
	for key, changes := range roles {
		for addr, r := range changes {
			name := [...]string{ignored: "ignore", watched: "watch", answered: "answer for"}[r]
			lines = append(lines, fmt.Sprintf("%s %s on %s", name, addr, tr.names[key.epoch]))
		}
	}
	slices.Sort(lines)
	for _, l := range lines {
		tr.lines(l, len(lines))
	}
}

func (tr *transcript) lines(text string, of int) {
	if of <= few {
		tr.line(text)
	}
}

func (tr *transcript) line(text string) {
	fmt.Fprintf(&tr.out, "%8s  %s\n", tr.now.Sub(tr.start).Round(100*time.Microsecond), text)
}

func kindName(k taskKind) string {
	return [...]string{sendProbe: "probe", sendAnnouncement: "announcement", sendRepeat: "repeat"}[k]
}
