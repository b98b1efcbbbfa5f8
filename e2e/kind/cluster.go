// Package kind gives the suite a cluster of kind's, with Herald on it as its users
// install it: an image, and the manifests in deploy. It needs docker on this machine,
// whose networks are those of the caller, and root.
package kind

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/heraldlb/herald/e2e/docker"
)

// Options are what a cluster is made of.
type Options struct {
	// Root is the checkout.
	Root string
	// Kind is kind's program, NodeImage its image, which docker has or pulls.
	Kind, NodeImage string
	// Families are the cluster's, as kind names them: ipv4, ipv6 or dual, which is the default.
	// The segment always has both.
	Families string
	// Image is Herald's, as in Archive.
	Image, Archive string
	// Pod is the program of package echo/pod, empty where nobody asks for Echo.
	Pod string
	// Previous is a checkout of what Herald is upgraded from, with its programs in bin.
	Previous string
	// Evidence is the folder for what may explain a failure.
	Evidence string
	// Progress is told what is done.
	Progress io.Writer
}

// Cluster is one that is up.
type Cluster struct {
	Options
	// Config is an administrator's access to the API server, Kubeconfig its file.
	Config     *rest.Config
	Kubeconfig string
	Segment    Segment

	mu   sync.Mutex
	pids map[string]int // of the containers' first processes

	macs      map[string]string
	shared    string // the control group of all containers, that was given real time
	recording *exec.Cmd
}

// kubeconfig is where kind writes it.
func (o *Options) kubeconfig() string { return filepath.Join(o.Root, "dist", "e2e-kind.kubeconfig") }

// Up makes a cluster in the place of one that a run left, and installs Herald.
func Up(ctx context.Context, o Options) (_ *Cluster, err error) {
	c := &Cluster{Options: o, Kubeconfig: o.kubeconfig(), pids: map[string]int{}}
	if err := c.Down(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			after := context.WithoutCancel(ctx)
			err = errors.Join(err, c.Collect(after), c.Down(after))
		}
	}()
	c.says("a cluster of kind's")
	if err := c.kind(ctx, strings.NewReader(fmt.Sprintf(config, cmp.Or(c.Families, "dual"))), "create", "cluster", "--name", Name, "--image", c.NodeImage,
		"--kubeconfig", c.Kubeconfig, "--config", "-", "--wait", "3m", "--retain"); err != nil {
		return nil, err
	}
	if err := c.record(ctx); err != nil {
		return nil, err
	}
	c.says("clients beside it")
	if err := c.startHosts(ctx); err != nil {
		return nil, err
	}
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	if err := c.connect(ctx, Nodes()...); err != nil {
		return nil, err
	}
	for _, node := range Nodes() {
		if err := c.allowRealTime(ctx, node); err != nil {
			return nil, err
		}
	}
	c.says("images")
	if err := c.loadImages(ctx); err != nil {
		return nil, err
	}
	c.says("Herald")
	return c, c.deploy(ctx)
}

// ErrDown says that no cluster is up.
var ErrDown = errors.New("no cluster of kind's is up")

// Open returns the cluster that is up, ErrDown if there is none.
func Open(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{Options: o, Kubeconfig: o.kubeconfig(), pids: map[string]int{}}
	if _, err := os.Stat(c.Kubeconfig); errors.Is(err, os.ErrNotExist) {
		return nil, ErrDown
	}
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	return c, c.record(ctx)
}

func (c *Cluster) open(ctx context.Context) (err error) {
	if c.Config, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig); err != nil {
		return err
	}
	c.Config.QPS, c.Config.Burst = 200, 400 // a suite asks more often than a user
	if c.Segment, err = inspect(ctx); err != nil {
		return err
	}
	c.macs = map[string]string{}
	for _, node := range Nodes() {
		link, err := c.link(ctx, node)
		if err != nil {
			return err
		}
		c.macs[node] = link.MAC
	}
	return nil
}

// Down takes everything away, whoever left it.
func (c *Cluster) Down(ctx context.Context) error {
	err := errors.Join(c.StopRecording(), c.Drop(ctx))
	if err := c.kind(ctx, nil, "delete", "cluster", "--name", Name, "--kubeconfig", c.Kubeconfig); err != nil {
		return err
	}
	return errors.Join(err, docker.Remove(ctx, label), c.takeRealTimeBack(), remove(c.Kubeconfig))
}

func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (c *Cluster) says(what string) { fmt.Fprintln(c.Progress, "kind:", what) }

func (c *Cluster) kind(ctx context.Context, stdin io.Reader, args ...string) error {
	cmd := exec.CommandContext(ctx, c.Kind, args...)
	cmd.Stdin = stdin
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kind %s: %w\n%s", strings.Join(args, " "), err, docker.Tail(string(output)))
	}
	return nil
}

// Kubectl runs the control plane's kubectl as an administrator.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) (string, error) {
	return docker.Run(ctx, nil, slices.Concat(
		[]string{"exec", ControlPlane, "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf"}, args)...)
}
