// Package ground says what the suite and the benchmark need of the cluster
// that they run on. The lab is one such ground, a cluster of kind's another.
package ground

import (
	"context"
	"os/exec"
	"syscall"

	"k8s.io/client-go/rest"

	"github.com/heraldlb/herald/e2e/kind"
)

// Ground is a cluster with Herald on it, its segment, and the hosts around it.
type Ground struct {
	// Config is an administrator's access to the API server.
	Config *rest.Config
	// Nodes are the names of the cluster's nodes, which are hosts too.
	Nodes []string
	// Client is a host on the nodes' segment, Remote one behind a router.
	Client, Remote string
	// Router is the host between them, Uplink its link towards Remote.
	Router, Uplink string
	// Interface is the link to the segment, on the nodes and on Client.
	Interface string
	// Global is what the pool ConfigMap gives to all namespaces, Spare are
	// further addresses of the segment that nobody uses.
	Global, Spare Ranges
	// Beyond are addresses of no segment: packets to them need a route.
	Beyond Ranges
	// Echo is the image of package echo/pod.
	Echo       string
	Hosts      Hosts
	Roles      Roles
	Segment    Segment
	Power      Power
	Components Components
	// Herald returns a command line of the herald program, with an
	// administrator's kubeconfig.
	Herald func(ctx context.Context, args ...string) (*exec.Cmd, error)
	// Kind is there where the nodes are containers of kind's: for the cases that
	// are labelled so.
	Kind *kind.Cluster
}

// Hosts are the machines of the ground.
type Hosts interface {
	// Command returns a command that will run on a host; Start and Run of the
	// returned command work as always.
	Command(ctx context.Context, host string, args ...string) *exec.Cmd
}

// Role is one of Herald's processes.
type Role string

// The roles.
const (
	Controller Role = "controller"
	Agent      Role = "agent"
	Announcer  Role = "announcer"
)

// Process is a running role.
type Process struct {
	Role Role
	// Host is where it runs, PID its id there.
	Host string
	PID  int
	// Ready is what its readiness probe says.
	Ready bool
}

// Roles are Herald's processes, which the ground starts again when they end.
type Roles interface {
	// Processes returns those that run now.
	Processes(ctx context.Context) ([]Process, error)
	// Logs returns what each role wrote, by a name that tells host and role.
	Logs(ctx context.Context) (map[string][]byte, error)
}

// Segment is the network between the hosts.
type Segment interface {
	// Drop makes the switch drop what nftables rules of the bridge family say;
	// its ports have the names of the hosts. The rules take the place of those
	// before.
	Drop(ctx context.Context, rules ...string) error
}

// Power is what the nodes run on.
type Power interface {
	// Off ends a node, which has no last word; On starts it again.
	Off(ctx context.Context, node string) error
	On(ctx context.Context, node string) error
}

// Component is one of the cluster's own processes, by its program's name.
type Component struct{ Host, Name string }

// Proxy is a component that cases harm.
const Proxy = "kube-proxy"

// Components are the cluster's own processes.
type Components interface {
	Signal(ctx context.Context, component Component, signal syscall.Signal) error
	// Server is the API server.
	Server() Component
}
