// Command probe does on a host what no usual tool does: a steady flow of
// requests with its losses counted, one datagram with its answer, who claims
// addresses, frames of rubbish and datagrams of forgers, a router with bad manners. The suite
// builds it and runs it on the client; on a node, it makes that forget connections.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const usage = `usage: probe flow URL                 requests until standard input ends, then a summary
       probe udp ADDRESS:PORT TEXT     sends TEXT until there is an answer
       probe forget ADDRESS            the kernel's record of connections to the address
       probe stall PID                 stops a process for 50 ms, and tells for how many nanoseconds it was
       probe claims INTERFACE          a line of JSON for each claim of an address, the first when it listens
       probe rubbish INTERFACE ADDR…   malformed ARP and NDP frames about the addresses
       probe forge INTERFACE FAMILY CLUSTER   bad datagrams to the port of heartbeats
       probe pose INTERFACE CLUSTER NODE      heartbeats in the name of a node until standard input ends
       probe bgp ADDRESS:PORT ASN MANNER      a router with bad manners: garbage, refuse, flap…
       probe flood INTERFACE CLUSTER   many of them, for a while; tells how many`

// A flood is of so many datagrams a second, for so long.
const (
	floodRate = 100_000
	floodTime = 3 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	switch {
	case len(args) == 2 && args[0] == "flow":
		return json.NewEncoder(out).Encode(flow(untilEOF(ctx, in), args[1]))
	case len(args) == 3 && args[0] == "udp":
		answer, err := datagram(ctx, args[1], []byte(args[2]))
		if err != nil {
			return err
		}
		_, err = out.Write(answer)
		return err
	case len(args) == 2 && args[0] == "forget":
		address, err := netip.ParseAddr(args[1])
		if err != nil {
			return err
		}
		return forget(address)
	case len(args) == 2 && args[0] == "stall":
		took, err := stall(args[1])
		return errors.Join(err, json.NewEncoder(out).Encode(took))
	case len(args) == 2 && args[0] == "claims":
		return claims(args[1], json.NewEncoder(out))
	case len(args) == 4 && args[0] == "forge":
		return forge(args[1], args[2], args[3])
	case len(args) == 4 && args[0] == "pose":
		return pose(untilEOF(ctx, in), args[1], args[2], args[3])
	case len(args) == 4 && args[0] == "bgp":
		asn, err := strconv.ParseUint(args[2], 10, 16)
		if err != nil {
			return err
		}
		return speak(ctx, args[1], uint32(asn), args[3], json.NewEncoder(out))
	case len(args) == 3 && args[0] == "flood":
		sent, err := flood(args[1], args[2], floodRate, floodTime)
		return errors.Join(err, json.NewEncoder(out).Encode(sent))
	case len(args) >= 3 && args[0] == "rubbish":
		var targets []netip.Addr
		for _, text := range args[2:] {
			target, err := netip.ParseAddr(text)
			if err != nil {
				return err
			}
			targets = append(targets, target)
		}
		return rubbish(args[1], targets)
	default:
		return fmt.Errorf("%s", usage)
	}
}

// untilEOF returns a context that ends when whoever started us closes our
// input, or is gone.
func untilEOF(ctx context.Context, in io.Reader) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		_, err := io.Copy(io.Discard, in)
		cancel(err)
	}()
	return ctx
}
