package bfd

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer/bfd/packet"
	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/internal/transcript"
)

func TestMain(m *testing.M) {
	transcript.Flag()
	flag.Parse()
	// As in the announcer: a thread that wakes finds a P.
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), 8))
	l2test.Main(m)
}

// Each file of testdata is a transcript: a line that starts with ">" is what happens,
// those below it are what comes of it. With -update, the files are written anew.
func TestTranscripts(t *testing.T) {
	transcript.Run(t, "testdata/*.txt", func(t *testing.T) func([]string) []string {
		tr := newScript()
		return func(words []string) []string {
			tr.lines = nil
			tr.tell(t, words)
			return tr.lines
		}
	})
}

// script is two ends, a and b, and the wire between them. A packet takes a
// millisecond.
type script struct {
	now    moment
	ends   map[string]*end
	flight []flight
	lines  []string
}

type end struct {
	*session
	name  string
	other *end
	cut   bool // what it sends is lost
	last  packet.Packet
	// sent counts the packets that said what the one before did.
	sent int
	// gone: it neither sends nor hears.
	gone bool
}

type flight struct {
	to *end
	at moment
	p  packet.Packet
}

func newScript() *script {
	a, b := &end{name: "a"}, &end{name: "b"}
	a.other, b.other = b, a
	return &script{ends: map[string]*end{"a": a, "b": b}}
}

func (tr *script) line(format string, args ...any) {
	tr.lines = append(tr.lines, fmt.Sprintf("%10s  ", tr.now)+fmt.Sprintf(format, args...))
}

// tell carries out one line:
//
//	wait DURATION
//	END begins INTERVAL MULTIPLIER
//	END changes INTERVAL MULTIPLIER
//	END dies                         as a process does
//	END leaves
//	END was late by DURATION
//	END is cut off | heard           what it sends is lost, or no longer
//	END hears STATE my N your N tx DURATION rx DURATION xN [poll] [final] [demand]
func (tr *script) tell(t *testing.T, words []string) {
	t.Helper()
	if words[0] == "wait" {
		tr.wait(tr.now + duration(t, words[1]))
		return
	}
	e := tr.ends[words[0]]
	args := words[2:]
	switch words[1] {
	case "begins":
		discriminator := uint32(1)
		if e.name == "b" {
			discriminator = 2
		}
		// Half of the jitter there may be.
		half := func(d time.Duration) time.Duration { return d / 2 }
		e.session, e.gone, e.last = newSession(tr.now, discriminator, duration(t, args[0]), number(t, args[1]), half), false, packet.Packet{}
	case "changes":
		e.configure(duration(t, args[0]), number(t, args[1]))
	case "dies":
		e.gone = true
	case "leaves":
		e.leave(tr.now)
	case "was":
		tr.line("%s excuses: %v", e.name, e.excuse(tr.now, duration(t, args[2])))
	case "is":
		e.cut = args[0] == "cut"
	case "hears":
		p := parsePacket(t, args)
		tr.hear(e, tr.now, &p)
	default:
		t.Fatalf("what is %q?", words)
	}
	tr.wait(tr.now)
}

func parsePacket(t *testing.T, words []string) (p packet.Packet) {
	t.Helper()
	p.State = packet.State(slices.Index([]string{"AdminDown", "Down", "Init", "Up"}, words[0]))
	for i, w := range words {
		switch {
		case w == "my":
			p.My = uint32(number(t, words[i+1]))
		case w == "your":
			p.Your = uint32(number(t, words[i+1]))
		case w == "tx":
			p.DesiredMinTx = duration(t, words[i+1])
		case w == "rx":
			p.RequiredMinRx = duration(t, words[i+1])
		case w[0] == 'x':
			p.Multiplier = number(t, w[1:])
		}
	}
	p.Poll, p.Final, p.Demand = slices.Contains(words, "poll"), slices.Contains(words, "final"), slices.Contains(words, "demand")
	return p
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func number(t *testing.T, text string) (n uint8) {
	t.Helper()
	if _, err := fmt.Sscan(strings.TrimPrefix(text, "x"), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// wait lets time pass until then, as the thread does.
func (tr *script) wait(until moment) {
	for {
		tr.act()
		at := tr.next()
		if at > until {
			break
		}
		tr.now = at
	}
	tr.now = until
	for _, name := range []string{"a", "b"} {
		if e := tr.ends[name]; e.sent > 0 {
			tr.line("%s repeats it %d times", name, e.sent)
			e.sent = 0
		}
	}
}

func (tr *script) next() moment {
	at := never
	for _, e := range tr.ends {
		if e.session != nil && !e.gone {
			at = min(at, max(e.next(), tr.now))
		}
	}
	for _, f := range tr.flight {
		at = min(at, f.at)
	}
	return at
}

// act does what is due now.
func (tr *script) act() {
	for i := 0; i < len(tr.flight); {
		if f := tr.flight[i]; f.at <= tr.now {
			tr.flight = slices.Delete(tr.flight, i, i+1)
			if f.to.session != nil && !f.to.gone {
				tr.hear(f.to, f.at, &f.p)
			}
			continue
		}
		i++
	}
	for _, name := range []string{"a", "b"} {
		e := tr.ends[name]
		if e.session == nil || e.gone {
			continue
		}
		before := e.state
		e.expire(tr.now)
		tr.told(e, before)
		var p packet.Packet
		for e.emit(tr.now, &p) {
			tr.send(e, p)
		}
		if e.left(tr.now) {
			e.gone = true
			tr.line("%s has left", name)
		}
	}
}

func (tr *script) hear(e *end, at moment, p *packet.Packet) {
	before := e.state
	e.receive(at, p)
	tr.told(e, before)
}

func (tr *script) told(e *end, before packet.State) {
	if e.state != before {
		tr.line("%s is %s, %q, flaps %d", e.name, e.state, e.diagnostic, e.flaps)
	}
}

// send prints a packet that says something new, and counts others.
func (tr *script) send(e *end, p packet.Packet) {
	if p == e.last {
		e.sent++
	} else {
		if e.sent > 0 {
			tr.line("%s has repeated it %d times", e.name, e.sent)
		}
		e.sent = 0
		tr.line("%s sends %s", e.name, show(p))
	}
	e.last = p
	if !e.cut {
		tr.flight = append(tr.flight, flight{to: e.other, at: tr.now + time.Millisecond, p: p})
	}
}

func show(p packet.Packet) string {
	text := fmt.Sprintf("%s my %d your %d tx %s rx %s x%d", p.State, p.My, p.Your, p.DesiredMinTx, p.RequiredMinRx, p.Multiplier)
	if p.Poll {
		text += " poll"
	}
	if p.Final {
		text += " final"
	}
	return text
}

// The jitter is what RFC 5880 section 6.8.7 says, and uses all of it.
func TestJitter(t *testing.T) {
	for multiplier, most := range map[uint8]int{3: 100, 1: 90} {
		random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // no secret
		s := newSession(0, 1, 2*time.Second, multiplier, func(d time.Duration) time.Duration { return time.Duration(random.Int64N(int64(d))) })
		shortest, longest := never, moment(0)
		for range 10000 {
			shortest, longest = min(shortest, s.pace()), max(longest, s.pace())
		}
		low, high := 1500*time.Millisecond, time.Duration(most)*20*time.Millisecond
		if shortest < low || shortest > low+low/100 || longest > high || longest < high-high/100 {
			t.Errorf("×%d: from %s to %s, want %s to %s", multiplier, shortest, longest, low, high)
		}
	}
}

// A packet joins others only where the jitter lets it be sent as early as that.
func TestJoin(t *testing.T) {
	s := newSession(0, 1, 2*time.Second, 3, func(d time.Duration) time.Duration { return d - 1 })
	begin := 10 * time.Second
	var p packet.Packet
	if !s.emit(begin, &p) || s.emit(begin, &p) {
		t.Fatal("not one packet at the beginning")
	}
	s.join(begin + 1499*time.Millisecond)
	if s.emit(begin+1499*time.Millisecond, &p) {
		t.Error("sent too early")
	}
	s.join(begin + 1500*time.Millisecond)
	if !s.emit(begin+1500*time.Millisecond, &p) {
		t.Error("not sent with the others")
	}
}
