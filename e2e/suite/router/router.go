// Package router runs real routers' software on a host of the ground, as Debian ships it:
// FRR, BIRD and ExaBGP. Each has its files in a directory of its own, so that several run
// side by side, and nothing of the host's own is read or written. What a router knows is
// read by its own command line.
package router

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"time"

	"github.com/heraldlb/herald/e2e/daemon"
)

// Neighbor is a node as a router's configuration has it.
type Neighbor struct {
	Name    string
	Address netip.Addr
}

// Route is a route that a router was told.
type Route struct {
	Prefix netip.Prefix
	// From is the name of the neighbor that told it, or its address if it has no name.
	From     string
	NextHops []netip.Addr
	// Path is the AS path.
	Path []uint32
	// Communities and LargeCommunities are as they are written: "64513:100",
	// "64513:1:2".
	Communities, LargeCommunities []string
	// MED is nil where there is none.
	MED             *uint32
	LocalPreference uint32
	// Stale says that its session is gone, and the route kept (RFC 4724).
	Stale bool
	// Best says that packets take it, maybe beside others.
	Best bool
}

// Session is a router's end of a session.
type Session struct {
	// State is that of RFC 4271 section 8.2.2.
	State string
	// Times counts how often it was established.
	Times int
	// HoldTime is what both ends agreed on.
	HoldTime time.Duration
	// Routes are those received and kept, by family: 4 or 6.
	Routes map[int]int
	// Reason is why it was last lost, in the router's words.
	Reason string
}

// Established is the state of a session that stands.
const Established = "Established"

// on is where a router runs.
type on struct {
	hosts     daemon.Hosts
	host      string
	directory string
	names     map[netip.Addr]string
}

// place makes a directory for a router's files on a host.
func place(ctx context.Context, hosts daemon.Hosts, host string, neighbors []Neighbor) (*on, error) {
	o := &on{hosts: hosts, host: host, names: map[netip.Addr]string{}}
	for _, neighbor := range neighbors {
		o.names[neighbor.Address] = neighbor.Name
	}
	output, err := o.run(ctx, "mktemp", "--directory", "--tmpdir=/run", "router.XXXXXX")
	o.directory = strings.TrimSpace(string(output))
	return o, err
}

// remove removes the directory.
func (o *on) remove(ctx context.Context) error {
	_, err := o.run(ctx, "rm", "--recursive", o.directory)
	return err
}

func (o *on) path(name string) string { return o.directory + "/" + name }

func (o *on) write(ctx context.Context, name, text string) error {
	cmd := o.hosts.Command(ctx, o.host, "sh", "-c", `cat >"$0"`, o.path(name))
	cmd.Stdin = strings.NewReader(text)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("write %s on %s: %w: %s", name, o.host, err, output)
	}
	return nil
}

func (o *on) run(ctx context.Context, args ...string) ([]byte, error) {
	return run(ctx, o.hosts, o.host, args...)
}

func run(ctx context.Context, hosts daemon.Hosts, host string, args ...string) ([]byte, error) {
	var complaint strings.Builder
	cmd := hosts.Command(ctx, host, args...)
	cmd.Stderr = &complaint
	output, err := cmd.Output()
	if err != nil {
		return output, fmt.Errorf("%s: %s: %w: %s%s", host, strings.Join(args, " "), err, complaint.String(), output)
	}
	return output, nil
}

// name returns a neighbor's name.
func (o *on) name(address netip.Addr) string {
	if name, ok := o.names[address]; ok {
		return name
	}
	return address.String()
}

// require says which program is missing on this machine, and how to get it.
func require(program, debian string) error {
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("%w: apt-get install %s", err, debian)
	}
	return nil
}

// family is the number of an address's family.
func family(address netip.Addr) int {
	if address.Is4() {
		return 4
	}
	return 6
}
