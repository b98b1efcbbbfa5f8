// Kubeadm runs docs/kubeadm.md in containers of kind's node image: three control planes
// and a worker behind one address that Herald holds, and a client on their segment.
// Then the node that holds the address dies.
//
//	make e2e-kubeadm
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "probe" {
		exit(probe(os.Args[2:]))
	}
	var o options
	flag.StringVar(&o.image, "image", "", "image of Herald, as in the archive")
	flag.StringVar(&o.archive, "archive", "dist/herald.tar", "archive of that image")
	flag.StringVar(&o.nodeImage, "node-image", "", "kind's node image, which docker has or pulls")
	flag.TextVar(&o.subnet, "subnet", netip.MustParsePrefix("172.30.77.0/24"), "IPv4 subnet for the nodes, used by nobody else")
	electors := flag.String("electors", "heartbeat,raft,lease", "in turn")
	flag.BoolVar(&o.keep, "keep", false, "leave the last cluster up")
	flag.Parse()
	if o.image == "" || o.nodeImage == "" {
		exit(errors.New("-image and -node-image are needed: make e2e-kubeadm gives them"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for elector := range strings.SplitSeq(*electors, ",") {
		start := time.Now()
		if err := o.run(ctx, elector); err != nil {
			exit(fmt.Errorf("%s: %w", elector, err))
		}
		fmt.Printf("\n== %s: passed, %s\n", elector, time.Since(start).Round(time.Second))
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

type options struct {
	image, archive, nodeImage string
	subnet                    netip.Prefix
	keep                      bool
}

// run walks through with one elector, on machines of its own, and takes them away.
func (o *options) run(ctx context.Context, elector string) (err error) {
	fmt.Printf("\n== %s\n", elector)
	d := datacentre{image: o.nodeImage, subnet: o.subnet}
	if err := d.down(ctx); err != nil { // what a run that was killed left
		return err
	}
	defer func() {
		// Also after ^C.
		after, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
		defer stop()
		if err != nil {
			d.diagnose(after)
		}
		if !o.keep {
			err = errors.Join(err, d.down(after))
		}
	}()
	if err := d.up(ctx); err != nil {
		return err
	}
	w := walk{datacentre: &d, herald: o.image, archive: o.archive, elector: elector, vip: d.address(vipHost)}
	return w.run(ctx)
}
