package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/heraldlb/herald/e2e/docker"
)

const (
	// prefix of the names of containers and of their network; hosts go by the rest.
	prefix  = "herald-"
	network = prefix + "kubeadm"
	label   = "io.heraldlb.e2e=kubeadm"
	client  = "client"
)

// Hosts of the subnet. Docker gives its first address to the bridge.
const (
	clientHost = 9
	firstHost  = 11
	vipHost    = 100
	poolFirst  = 200
	poolLast   = 209
)

// datacentre is machines on one segment: containers of kind's node image.
type datacentre struct {
	image  string
	subnet netip.Prefix
	out    io.Writer // what is done, as one would type it, and what comes of it
}

func nodes() []string         { return append(controlPlanes(), workers()...) }
func controlPlanes() []string { return []string{"cp-1", "cp-2", "cp-3"} }
func workers() []string       { return []string{"worker-1"} }

// address returns the subnet's address of a number.
func (d *datacentre) address(host int) netip.Addr {
	a := d.subnet.Masked().Addr()
	for range host {
		a = a.Next()
	}
	return a
}

// node returns the address of a node.
func (d *datacentre) node(name string) netip.Addr {
	for i, n := range nodes() {
		if n == name {
			return d.address(firstHost + i)
		}
	}
	return netip.Addr{}
}

func (d *datacentre) up(ctx context.Context) error {
	if _, err := docker.Run(ctx, nil, "network", "create", "--label", label, "--subnet", d.subnet.String(), network); err != nil {
		return err
	}
	for _, name := range nodes() {
		if err := d.start(ctx, name); err != nil {
			return err
		}
	}
	_, err := docker.Run(ctx, nil, "run", "--detach", "--label", label, "--name", prefix+client, "--hostname", client,
		"--network", network, "--ip", d.address(clientHost).String(), "--cap-add", "NET_RAW", "--stop-signal", "KILL",
		"--entrypoint", "sleep", d.image, "infinity")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if _, err := docker.Run(ctx, nil, "cp", self, prefix+client+":/usr/local/bin/e2e-kubeadm"); err != nil {
		return err
	}
	for _, name := range nodes() {
		err := eventually(ctx, time.Minute, func(ctx context.Context) error {
			_, err := d.quietly(ctx, name, "systemctl is-active --quiet containerd && crictl info >/dev/null")
			return err
		})
		if err != nil {
			return fmt.Errorf("%s does not start: %w", name, err)
		}
	}
	return nil
}

// start runs a node as kind does (its pkg/cluster/internal/providers/docker).
func (d *datacentre) start(ctx context.Context, name string) error {
	_, err := docker.Run(ctx, nil, "run", "--detach", "--tty", "--label", label, "--name", prefix+name, "--hostname", name,
		"--network", network, "--ip", d.node(name).String(),
		"--privileged", "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
		"--tmpfs", "/tmp", "--tmpfs", "/run", "--volume", "/var", "--volume", "/lib/modules:/lib/modules:ro",
		"--init=false", "--cgroupns=private", d.image)
	return err
}

// down takes everything away, whoever left it.
func (d *datacentre) down(ctx context.Context) error {
	return docker.Remove(ctx, label)
}

// diagnose shows what tells why something failed.
func (d *datacentre) diagnose(ctx context.Context) {
	for _, name := range nodes() {
		fmt.Fprintf(d.out, "\n-- %s\n", name)
		out, err := docker.Run(ctx, nil, "exec", prefix+name, "bash", "-c", `exec 2>&1; ip -brief address show dev eth0
			journalctl --unit kubelet --no-pager --lines 25
			crictl ps --all
			for id in $(crictl ps --all --quiet --label io.kubernetes.pod.name=herald-$(hostname)); do echo "-- $id"; crictl logs --tail 40 "$id"; done
			for id in $(crictl ps --all --quiet --name 'kube-apiserver|etcd' --latest); do echo "-- $id"; crictl logs --tail 15 "$id"; done
			true`)
		fmt.Fprint(d.out, out)
		if err != nil {
			fmt.Fprintln(d.out, err)
		}
	}
}

// eventually asks twice a second until there is no error, or for so long.
func eventually(ctx context.Context, most time.Duration, ask func(context.Context) error) error {
	limited, stop := context.WithTimeout(ctx, most)
	defer stop()
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	var last error
	for {
		err := ask(limited)
		if err == nil {
			return nil
		}
		if limited.Err() == nil || last == nil {
			last = err // not that of the end
		}
		select {
		case <-limited.Done():
			return errors.Join(fmt.Errorf("not within %s: %w", most, last), ctx.Err())
		case <-ticker.C:
		}
	}
}
