package ownership

import (
	"flag"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2"
	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/internal/transcript"
	"github.com/heraldlb/herald/membership"
)

func TestMain(m *testing.M) {
	transcript.Flag()
	flag.Parse()
	l2test.Main(m)
}

// Each file of testdata is a transcript: a line that starts with ">" is what a
// node is told, those below it are what the nodes do then. With -update, the
// files are written anew.
func TestTranscripts(t *testing.T) {
	transcript.Run(t, "testdata/*.txt", func(t *testing.T) func([]string) []string {
		tr := newScript()
		return func(words []string) []string {
			tr.lines = nil
			tr.tell(t, words)
			tr.run()
			return tr.lines
		}
	})
}

// script is a cluster on one segment, each node's interface eth0 first.
type script struct {
	start, now time.Time
	nodes      map[string]*node
	lines      []string
}

type node struct {
	*mind
	interfaces map[string]*link.Interface
	epochs     uint64
	// hears are the nodes that it hears, and on which of its interfaces.
	hears map[string][]int
	// deaf are the interfaces on which no heartbeats can be sent or received.
	deaf map[string]bool
}

func newScript() *script {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return &script{start: start, now: start, nodes: make(map[string]*node)}
}

// tell carries out one line:
//
//	wait DURATION
//	NODE starts                         a node's announcer starts, and hears nobody
//	NODE up NAME PREFIX…                an interface comes up, or up again, or gets other prefixes
//	NODE down NAME
//	NODE breaks NAME | mends NAME       of the family IPv4
//	NODE deaf NAME | hearing NAME       no heartbeats can be sent or received there
//	NODE facts [nodes N] [excluded] [cut-off] [rebalance WORD]
//	NODE snapshot ADDRESS…
//	NODE put ADDRESS [ineligible] [probe] [on NAME] [hosts NODE…]
//	NODE delete ADDRESS
//	NODE hears NODE [on NAME]           from now on
//	NODE loses NODE                     it counts as dead
//	NODE reports ADDRESS STATE          what came of an announcement
//	NODE leaves
func (tr *script) tell(t *testing.T, words []string) {
	t.Helper()
	if words[0] == "wait" {
		tr.wait(t, words[1])
		return
	}
	name, args := words[0], words[2:]
	n := tr.nodes[name]
	switch words[1] {
	case "starts":
		n = &node{
			mind:       newMind(election.ID{Node: name, Incarnation: 1}, election.DefaultTiming(), Listening(0)),
			interfaces: make(map[string]*link.Interface), hears: make(map[string][]int), deaf: make(map[string]bool),
		}
		tr.nodes[name] = n
	case "up":
		n.epochs++
		i := &link.Interface{Index: int(args[0][len(args[0])-1]-'0') + 1, Name: args[0], Up: true, Epoch: n.epochs}
		for _, p := range args[1:] {
			i.Prefixes = append(i.Prefixes, netip.MustParsePrefix(p))
		}
		n.interfaces[args[0]] = i
		n.setInterfaces(tr.now, n.links())
	case "down":
		n.interfaces[args[0]].Up = false
		n.setInterfaces(tr.now, n.links())
	case "breaks", "mends":
		n.setBroken(tr.now, l2.Port{Epoch: n.interfaces[args[0]].Epoch}, words[1] == "breaks")
	case "deaf", "hearing":
		n.deaf[args[0]] = words[1] == "deaf"
		n.listen(tr.now, n.places.links())
	case "facts":
		n.setFacts(tr.now, facts(t, args))
	case "snapshot":
		var all []announcer.Candidacy
		for _, a := range args {
			all = append(all, candidacy(a))
		}
		n.read(tr.now, mail{replaced: true, all: all})
	case "put":
		n.put(tr.now, candidacy(args...))
	case "delete":
		n.remove(tr.now, netip.MustParseAddr(args[0]))
	case "hears":
		on := 1
		if len(args) > 1 {
			on = n.interfaces[args[2]].Index
		}
		n.hears[args[0]] = append(n.hears[args[0]], on)
		tr.hear(n, args[0])
	case "loses":
		delete(n.hears, args[0])
		n.gone(tr.now, election.ID{Node: args[0], Incarnation: 1}, membership.Silent, tr.now)
	case "reports":
		n.reported(tr.now, announcer.Status{Address: netip.MustParseAddr(args[0]), State: announcer.State(args[1]), Since: tr.now})
	case "leaves":
		n.leave(tr.now)
	default:
		t.Fatalf("what is %q?", words)
	}
	n.advance(tr.now)
}

func facts(t *testing.T, args []string) (f announcer.Facts) {
	t.Helper()
	for i, a := range args {
		switch a {
		case "nodes":
			if _, err := fmt.Sscan(args[i+1], &f.Nodes); err != nil {
				t.Fatal(err)
			}
		case "excluded":
			f.Excluded = true
		case "cut-off":
			f.CutOff = true
		case "rebalance":
			f.Rebalance = args[i+1]
		}
	}
	return f
}

func candidacy(args ...string) announcer.Candidacy {
	c := announcer.Candidacy{Eligible: !slices.Contains(args, "ineligible")}
	c.Address, c.Probe = netip.MustParseAddr(args[0]), slices.Contains(args, "probe")
	if i := slices.Index(args, "on"); i > 0 {
		c.Interface = args[i+1]
	}
	if i := slices.Index(args, "hosts"); i > 0 {
		c.Hosts = args[i+1:]
	}
	return c
}

func (n *node) links() []link.Interface {
	var all []link.Interface
	for _, name := range slices.Sorted(maps.Keys(n.interfaces)) {
		all = append(all, *n.interfaces[name])
	}
	return all
}

// listen opens the sockets of heartbeats, but on interfaces where that fails.
func (n *node) listen(now time.Time, on []link.Interface) {
	var open []int
	for _, i := range on {
		if !n.deaf[i.Name] {
			open = append(open, i.Index)
		}
	}
	n.setListening(now, open)
}

// hear tells a node what it hears of another now.
func (tr *script) hear(n *node, other string) {
	o := tr.nodes[other]
	p := membership.Peer{ID: o.self, Interfaces: slices.Clone(n.hears[other]), Standing: o.beacon.Standing}
	for _, i := range o.places.links() {
		p.Prefixes = append(p.Prefixes, i.Prefixes...)
	}
	n.joined(tr.now, p)
	n.heard(tr.now, o.self, o.beacon.Digest)
}

// run has the nodes do what they want, and hear each other, until all is quiet.
func (tr *script) run() {
	for busy := true; busy; {
		busy = false
		for _, name := range slices.Sorted(maps.Keys(tr.nodes)) {
			n := tr.nodes[name]
			n.advance(tr.now)
			did := n.take()
			tr.print(name, did)
			for _, out := range did.messages {
				tr.deliver(name, out)
				busy = true
			}
			if did.links != nil {
				n.listen(tr.now, did.links)
			}
			if did.beacon == nil && did.links == nil {
				continue
			}
			busy = true
			for _, other := range tr.nodes {
				if _, ok := other.hears[name]; ok {
					tr.hear(other, name)
				}
			}
		}
	}
}

func (tr *script) deliver(from string, out election.Outgoing) {
	for name, to := range tr.nodes {
		if _, ok := to.hears[from]; ok && (out.To == election.ID{} || out.To.Node == name) {
			to.election.Receive(tr.now, tr.nodes[from].self, out.Message)
		}
	}
}

// wait lets time pass, as the loop does.
func (tr *script) wait(t *testing.T, text string) {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	end := tr.now.Add(d)
	for {
		next, found := end, false
		for _, n := range tr.nodes {
			if at, ok := n.next(tr.now); ok && !at.After(next) {
				next, found = at, true
			}
		}
		if !found {
			break
		}
		tr.now = next
		tr.run()
	}
	tr.now = end
}

func (tr *script) print(name string, did effects) {
	// What is done at once has no order that counts.
	slices.SortStableFunc(did.puts, func(a, b announcer.Announcement) int { return a.Address.Compare(b.Address) })
	slices.SortFunc(did.deletes, netip.Addr.Compare)
	slices.SortFunc(did.again, netip.Addr.Compare)
	slices.SortStableFunc(did.statuses, func(a, b announcer.Status) int { return a.Address.Compare(b.Address) })
	for _, a := range did.puts {
		line := "announces " + a.Address.String()
		if a.Interface != "" {
			line += " on " + a.Interface
		}
		if a.Probe {
			line += " after a probe"
		}
		if a.From != "" {
			line += ", handed over by " + a.From
		}
		tr.line(name, line)
	}
	for _, a := range did.deletes {
		tr.line(name, "is silent on "+a.String())
	}
	for _, a := range did.again {
		tr.line(name, "announces again "+a.String())
	}
	for from, count := range did.failovers {
		tr.line(name, fmt.Sprintf("took over %d from %s", count, from.id.Node))
	}
	if did.links != nil {
		var names []string
		for _, i := range did.links {
			names = append(names, i.Name)
		}
		tr.line(name, "talks on "+strings.Join(names, " "))
	}
	for _, s := range did.statuses {
		line := fmt.Sprintf("says %s is %s", s.Address, s.State)
		if s.Owner != "" {
			line += ", owner " + s.Owner
		}
		tr.line(name, line)
	}
	n := tr.nodes[name]
	if did.view && (n.alone || n.isolated) {
		tr.line(name, fmt.Sprintf("alone %v, isolated %v", n.alone, n.isolated))
	}
	if did.beacon != nil {
		tr.line(name, fmt.Sprintf("beats: standing %v, leaving %v, claims %d", n.standing, n.leaving, did.beacon.Digest.Count))
	}
	if n.left() {
		tr.line(name, "has left")
	}
}

func (tr *script) line(name, text string) {
	tr.lines = append(tr.lines, fmt.Sprintf("%8s  %s %s", tr.now.Sub(tr.start), name, text))
}
