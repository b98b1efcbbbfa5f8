package router

import (
	"bufio"
	"context"
	"net/netip"
	"os"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// namespaces are hosts: processes that do nothing, each with a network of its own.
type namespaces map[string]int

// Command implements daemon.Hosts.
func (n namespaces) Command(ctx context.Context, host string, args ...string) *exec.Cmd {
	words := []string{"--target", strconv.Itoa(n[host]), "--mount", "--net"}
	if os.Geteuid() != 0 {
		words = append(words, "--user", "--preserve-credentials")
	}
	return exec.CommandContext(ctx, "nsenter", append(words, args...)...)
}

// pair returns two hosts, left and right, that are joined by a link: 192.0.2.1 and .2,
// fd00::1 and ::2.
func pair(t *testing.T) namespaces {
	t.Helper()
	hosts := namespaces{}
	flags := []string{"--mount", "--net"}
	if os.Geteuid() != 0 {
		flags = append(flags, "--user", "--map-root-user")
	}
	// The second is in the user namespace of the first, which may so give it a link.
	hosts["left"] = hold(t, exec.Command("unshare", append(flags, "sh", "-c", holder)...))
	hosts["right"] = hold(t, hosts.Command(context.WithoutCancel(t.Context()), "left", "unshare", "--net", "sh", "-c", holder))
	do(t, hosts, "left", "mount -t tmpfs none /run && ip link set lo up && ip link add l0 type veth peer name r0 netns "+strconv.Itoa(hosts["right"])+
		" && ip link set l0 up && ip address add 192.0.2.1/24 dev l0 && ip address add fd00::1/64 dev l0 nodad")
	do(t, hosts, "right", "mount -t tmpfs none /run; ip link set lo up && ip link set r0 up && ip address add 192.0.2.2/24 dev r0 && ip address add 192.0.2.3/24 dev r0 && ip address add fd00::2/64 dev r0 nodad")
	return hosts
}

// holder ends with its input.
const holder = "echo $$; exec cat"

// hold starts a process that lasts as long as the test.
func hold(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	input, err := cmd.StdinPipe()
	must(t, err)
	output, err := cmd.StdoutPipe()
	must(t, err)
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	t.Cleanup(func() {
		must(t, input.Close())
		must(t, cmd.Wait())
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	must(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	must(t, err)
	return pid
}

func do(t *testing.T, hosts namespaces, host, script string) {
	t.Helper()
	_, err := run(t.Context(), hosts, host, "sh", "-ec", script)
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until what is asked for is there.
func eventually[T any](t *testing.T, want T, ask func(context.Context) (T, error)) {
	t.Helper()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(20 * time.Second)
	for {
		got, err := ask(t.Context())
		if err == nil && reflect.DeepEqual(got, want) {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("got %+v, %v; want %+v", got, err, want)
		}
	}
}

// FRR on the left talks with BIRD, and listens to what ExaBGP says that makes no sense, on the right.
func TestRouters(t *testing.T) {
	hosts := pair(t)
	bird, err := NewBIRD(t.Context(), hosts, "right", birdConfiguration)
	must(t, err)
	t.Cleanup(func() { must(t, bird.Stop(context.WithoutCancel(t.Context()))) })
	right := netip.MustParseAddr("192.0.2.2")
	frr, err := NewFRR(t.Context(), hosts, "left", frrConfiguration, []Neighbor{{Name: "right", Address: right}})
	must(t, err)
	t.Cleanup(func() { must(t, frr.Stop(context.WithoutCancel(t.Context()))) })

	eventually(t, "Established 1", func(ctx context.Context) (string, error) {
		sessions, err := frr.Sessions(ctx)
		return sessions["right"].State + " " + strconv.Itoa(sessions["right"].Routes[4]), err
	})
	eventually(t, "Established 1", func(ctx context.Context) (string, error) {
		sessions, err := bird.Sessions(ctx)
		return sessions["the-left"].State + " " + strconv.Itoa(sessions["the-left"].Routes[6]), err
	})
	eventually(t, map[string]string{"right": "up"}, frr.BFD)

	med := uint32(20)
	v4, v6 := netip.MustParsePrefix("10.77.0.1/32"), netip.MustParsePrefix("fd00:77::1/128")
	eventually(t, map[string]Route{"right": {
		Prefix: v4, From: "right", NextHops: []netip.Addr{right}, Path: []uint32{64513, 64513},
		Communities: []string{"64513:100"}, LargeCommunities: []string{"64513:1:2"}, MED: &med, Best: true,
	}}, func(ctx context.Context) (map[string]Route, error) { return frr.Routes(ctx, v4) })
	eventually(t, []netip.Addr{right}, func(ctx context.Context) ([]netip.Addr, error) { return NextHops(ctx, hosts, "left", v4) })
	eventually(t, map[string]Route{"the-left": {
		Prefix: v6, From: "the-left", NextHops: []netip.Addr{netip.MustParseAddr("fd00::1")}, Path: []uint32{64512},
		LocalPreference: 100, Best: true, Communities: []string{"64512:7", "64512:8"}, LargeCommunities: []string{"64512:1:2"}, MED: &med,
	}}, func(ctx context.Context) (map[string]Route, error) { return bird.Routes(ctx, v6) })
	eventually(t, map[netip.Prefix]int{v4: 1}, func(ctx context.Context) (map[netip.Prefix]int, error) { return frr.Prefixes(ctx, 4) })

	third := netip.MustParseAddr("192.0.2.3")
	exabgp, err := NewExaBGP(t.Context(), hosts, "right", netip.AddrPortFrom(third, 1791), exabgpConfiguration)
	must(t, err)
	t.Cleanup(func() { must(t, exabgp.Stop(context.WithoutCancel(t.Context()))) })
	must(t, exabgp.Connected(t.Context(), netip.MustParseAddr("192.0.2.1")))
	eventually(t, "Established 0", func(ctx context.Context) (string, error) {
		sessions, err := frr.Sessions(ctx)
		return sessions["192.0.2.3"].State + " " + strconv.Itoa(sessions["192.0.2.3"].Routes[4]), err
	})

	if err := frr.Configure(t.Context(), "router bgp 64512", "no such thing"); err == nil {
		t.Error("FRR takes what it does not know")
	}
}
