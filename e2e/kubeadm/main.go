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
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 && args[0] == "probe" {
		return probe(ctx, args[1:], out)
	}
	o := options{out: out}
	flags := flag.NewFlagSet("kubeadm", flag.ContinueOnError)
	flags.StringVar(&o.image, "image", "", "image of Herald, as in the archive")
	flags.StringVar(&o.archive, "archive", "dist/herald.tar", "archive of that image")
	flags.StringVar(&o.nodeImage, "node-image", "", "kind's node image, which docker has or pulls")
	flags.TextVar(&o.subnet, "subnet", netip.MustParsePrefix("172.30.77.0/24"), "IPv4 subnet for the nodes, used by nobody else")
	electors := flags.String("electors", "heartbeat,raft,lease", "in turn")
	flags.BoolVar(&o.keep, "keep", false, "leave the last cluster up")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.image == "" || o.nodeImage == "" {
		return errors.New("-image and -node-image are needed: make e2e-kubeadm gives them")
	}
	for elector := range strings.SplitSeq(*electors, ",") {
		start := time.Now()
		if err := o.run(ctx, elector); err != nil {
			return fmt.Errorf("%s: %w", elector, err)
		}
		fmt.Fprintf(out, "\n== %s: passed, %s\n", elector, time.Since(start).Round(time.Second))
	}
	return nil
}

type options struct {
	image, archive, nodeImage string
	subnet                    netip.Prefix
	keep                      bool
	out                       io.Writer
}

// run walks through with one elector, on machines of its own, and takes them away.
func (o *options) run(ctx context.Context, elector string) (err error) {
	fmt.Fprintf(o.out, "\n== %s\n", elector)
	d := datacentre{image: o.nodeImage, subnet: o.subnet, out: o.out}
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
	w := walk{datacentre: &d, commands: newCommands(&d, o.image), archive: o.archive, elector: elector}
	return w.run(ctx)
}
