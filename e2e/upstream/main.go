// Upstream runs Kubernetes' own tests of load balancers, k8s.io/kubernetes/test/e2e,
// against Herald on a cluster of kind's, and compares what came of each case with the table
// in docs/conformance.md.
//
//	make e2e-upstream
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/heraldlb/herald/e2e/kind"
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

func command(ctx context.Context, args []string, out io.Writer) (err error) {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	// One family: a case asks all of the nodes' addresses for a health check, which kube-proxy
	// answers by the Service's families alone.
	o := kind.Options{Families: "ipv4", Root: root, Archive: filepath.Join(root, "dist", "herald.tar"), Progress: out}
	r := run{bin: filepath.Join(root, "bin"), report: filepath.Join(root, "dist", "e2e-upstream"), out: out}
	o.Evidence = filepath.Join(r.report, "evidence")
	flags := flag.NewFlagSet("upstream", flag.ContinueOnError)
	flags.StringVar(&o.Kind, "kind", "", "kind's program")
	flags.StringVar(&o.NodeImage, "node-image", "", "kind's node image, which docker has or pulls")
	flags.StringVar(&o.Image, "image", "", "image of Herald, as in dist/herald.tar")
	flags.StringVar(&r.focus, "focus", "", "only cases whose text this regular expression matches")
	flags.IntVar(&r.procs, "procs", 8, "how many cases at a time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.Kind == "" || o.NodeImage == "" || o.Image == "" {
		return errors.New("-kind, -node-image and -image are needed: make e2e-upstream gives them")
	}
	table, err := readTable(filepath.Join(root, "docs", "conformance.md"))
	if err != nil {
		return err
	}

	if err := errors.Join(os.RemoveAll(r.report), os.MkdirAll(r.report, 0o755)); err != nil {
		return err
	}

	start := time.Now()
	cluster, err := kind.Up(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		// Also after ^C.
		after, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
		defer stop()
		evidence := cluster.Discard
		if err != nil {
			evidence = func() error { return cluster.Collect(after) }
		}
		err = errors.Join(err, evidence(), cluster.Down(after))
	}()
	r.cluster = cluster
	outcomes, err := r.run(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s, %d cases at a time, %s\n\n", summary(outcomes), r.procs, time.Since(start).Round(time.Second))
	return compare(table, outcomes, r.focus != "", out)
}
