package membership

import (
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

	"github.com/google/go-cmp/cmp"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/membership/wire"
)

// Each file of testdata/detector is a transcript: a line that starts with ">" is
// what happens, those below it are what the detector finds. With -update, the
// files are written anew.
func TestDetector(t *testing.T) {
	update := flag.Lookup("update").Value.String() == "true"
	files, err := filepath.Glob("testdata/detector/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("transcripts: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			must(t, err)
			want := string(b)
			got := newTranscript().replay(t, want)
			if update {
				must(t, os.WriteFile(file, []byte(got), 0o600))
			} else if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// transcript is a detector in a world of nodes that beat. This node is a.100.
type transcript struct {
	now      moment
	detector *detector
	nodes    map[string]*beating
	out      strings.Builder
}

// beating is a node that sends heartbeats again and again.
type beating struct {
	hearing
	routes []beatingRoute
	next   moment
}

type beatingRoute struct {
	link   int
	source netip.Addr
}

func newTranscript() *transcript {
	return &transcript{
		now: time.Second, nodes: make(map[string]*beating), detector: newDetector(election.ID{Node: "a", Incarnation: 100}),
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
//	start NODE.INCARNATION [at LINK/SOURCE]… [every D] [times N] [from #SEQUENCE] [standing]
//	                             it beats from now on
//	say NODE.INCARNATION …       it says something else with its next heartbeat, which is now
//	stop NODE.INCARNATION        it is silent from now on
//	farewell NODE.INCARNATION
//	hear NODE.INCARNATION at LINK/SOURCE #SEQUENCE [farewell]
//	                             a single heartbeat comes
//	refused LINK/SOURCE          an ICMP error comes from there
//	links LINK…                  these interfaces are left
//	suspend                      this node was late itself
//	wait D
func (tr *transcript) tell(t *testing.T, words []string) {
	t.Helper()
	d, args := tr.detector, words[1:]
	switch words[0] {
	case "start":
		n := &beating{hearing: newHearing(t, args[0]), next: tr.now}
		n.sequence = 1
		n.options(t, args[1:])
		tr.nodes[args[0]] = n
		tr.beat(n)
	case "say":
		n := tr.nodes[args[0]]
		n.options(t, args[1:])
		tr.beat(n)
	case "stop":
		delete(tr.nodes, args[0])
	case "farewell":
		n := tr.nodes[args[0]]
		n.farewell = true
		tr.beat(n)
		tr.beat(n)
		delete(tr.nodes, args[0])
	case "hear":
		n := &beating{hearing: newHearing(t, args[0])}
		n.options(t, args[1:])
		tr.beat(n)
	case "refused":
		r := route1(t, args[0])
		d.refused(tr.now, r.link, r.source)
	case "links":
		var links []int
		for _, a := range args {
			links = append(links, linkNumber(t, a))
		}
		d.setLinks(tr.now, links)
	case "suspend":
		d.suspend(tr.now)
	case "wait":
		wait, err := time.ParseDuration(args[0])
		must(t, err)
		tr.wait(wait)
	default:
		t.Fatalf("what is %q?", words)
	}
}

func newHearing(t *testing.T, name string) hearing {
	t.Helper()
	node, incarnation, _ := strings.Cut(name, ".")
	h := hearing{node: []byte(node), interval: 25 * time.Millisecond, multiplier: 4, traffic: new(traffic)}
	scan(t, incarnation, "%d", &h.incarnation)
	return h
}

func (n *beating) options(t *testing.T, words []string) {
	t.Helper()
	for i := 0; i < len(words); i++ {
		switch w := words[i]; {
		case w == "at":
			i++
			n.routes = append(n.routes, route1(t, words[i]))
		case w == "every":
			i++
			interval, err := time.ParseDuration(words[i])
			must(t, err)
			n.interval = interval
		case w == "times":
			i++
			scan(t, words[i], "%d", &n.multiplier)
		case w == "standing":
			n.standing = true
		case w == "leaving":
			n.leaving = true
		case w == "farewell":
			n.farewell = true
		case w == "claims":
			i++
			scan(t, words[i], "%d", &n.digest.Version)
		case w == "on-link":
			i++
			n.prefixes = []netip.Prefix{netip.MustParsePrefix(words[i])}
		case w[0] == '#':
			scan(t, w, "#%d", &n.sequence)
		default:
			t.Fatalf("what is %q?", w)
		}
	}
}

func scan(t *testing.T, text, format string, into ...any) {
	t.Helper()
	if _, err := fmt.Sscanf(text, format, into...); err != nil {
		t.Fatalf("%q is not like %q: %v", text, format, err)
	}
}

func linkNumber(t *testing.T, name string) (n int) {
	t.Helper()
	scan(t, name, "eth%d", &n)
	return n
}

func route1(t *testing.T, text string) beatingRoute {
	t.Helper()
	name, source, _ := strings.Cut(text, "/")
	return beatingRoute{link: linkNumber(t, name), source: netip.MustParseAddr(source)}
}

// beat has the detector hear a heartbeat on each route.
func (tr *transcript) beat(n *beating) {
	for _, r := range n.routes {
		h := n.hearing
		h.at, h.link, h.source = tr.now, r.link, r.source
		why := tr.detector.hear(&h)
		if why != taken {
			tr.line(fmt.Sprintf("drop: %s", why.label()))
		}
		if why == drop(wire.Superseded) || why == drop(wire.Replayed) {
			if known, sequence, ok := tr.detector.refusal(&h); ok {
				tr.line(fmt.Sprintf("refuse: %s.%d #%d is known", known.Node, known.Incarnation, sequence))
			}
		}
		tr.print()
	}
	n.sequence++
	n.next = tr.now + n.interval
}

// wait lets time pass, as the thread does.
func (tr *transcript) wait(d time.Duration) {
	end := tr.now + d
	for {
		at := end + 1
		var next *beating
		for _, name := range slices.Sorted(maps.Keys(tr.nodes)) {
			if n := tr.nodes[name]; n.next < at {
				at, next = n.next, n
			}
		}
		if judge, ok := tr.detector.next(false); ok && judge < at {
			at, next = judge, nil
		}
		if at > end {
			break
		}
		tr.now = max(tr.now, at)
		if next != nil {
			tr.beat(next)
			continue
		}
		tr.detector.judge(tr.now)
		tr.print()
	}
	tr.now = end
	tr.detector.judge(end)
	tr.print()
}

// print writes what the detector found.
func (tr *transcript) print() {
	ring := newRing[news](64)
	tr.detector.write(ring)
	for n := ring.peek(); n != nil; n = ring.peek() {
		tr.printNews(n)
		ring.release()
	}
	for _, p := range tr.detector.probes {
		tr.line(fmt.Sprintf("ask eth%d/%s", p.link, p.target))
	}
	for _, c := range tr.detector.complaints {
		if c.own {
			tr.line(fmt.Sprintf("complain: %s has the name %s too", c.source, c.node))
		} else {
			tr.line(fmt.Sprintf("complain: %s and %s are both named %s", c.source, c.other, c.node))
		}
	}
	tr.detector.probes, tr.detector.complaints = nil, nil
}

func (tr *transcript) printNews(n *news) {
	name := fmt.Sprintf("%s.%d", n.id.Node, n.id.Incarnation)
	switch {
	case n.about == nil:
		tr.line(fmt.Sprintf("%s has claims %d", name, n.digest.Version))
	case n.about.state != announcer.Alive:
		line := fmt.Sprintf("%s is %s: %s", name, n.about.state, n.about.reason)
		if n.forgotten {
			line += ", forgotten"
		}
		tr.line(line)
	default:
		line := name + " is Alive"
		for _, r := range n.about.routes {
			if r.alive {
				line += fmt.Sprintf(", eth%d/%s", r.link, r.source)
			}
		}
		p := n.about.peer()
		if p.Standing {
			line += ", standing"
		}
		if p.Leaving {
			line += ", leaving"
		}
		if len(p.Prefixes) > 0 {
			line += fmt.Sprintf(", on-link %v", p.Prefixes)
		}
		tr.line(line)
	}
}

func (tr *transcript) line(text string) {
	fmt.Fprintf(&tr.out, "%8s  %s\n", (tr.now - time.Second).Round(100*time.Microsecond), text)
}
