package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Host is one machine of the lab: a network namespace.
type Host struct {
	Name string
	// Addresses are the host's own on its first link, IPv4 first; none for
	// the switch.
	Addresses []netip.Addr
	// MAC is the link-layer address of its first link.
	MAC string

	cluster *Cluster
	err     error
}

// Command returns a command that runs on the host, in the caller's working
// directory; it is killed when ctx ends or the caller does.
func (h Host) Command(ctx context.Context, args ...string) *exec.Cmd {
	words := h.enter(args)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = append(os.Environ(), sbin())
	if h.err != nil {
		cmd.Err = h.err
	}
	return cmd
}

// Prompt is Command for what times others, and may not wait for them: it comes before all
// else, announcers in real time too, as far as the rights allow.
func (h Host) Prompt(ctx context.Context, args ...string) *exec.Cmd {
	const realTime = `chrt --fifo 10 true 2>&- && exec chrt --fifo 10 "$@"; exec nice -n -19 "$@"`
	return h.Command(ctx, append([]string{"sh", "-c", realTime, "sh"}, args...)...)
}

// enter puts before a command what takes it to the host. The lab's processes
// end with the lab; setpriv ends this one with nsenter, too.
func (h Host) enter(args []string) []string {
	words := []string{"nsenter", "--target", strconv.Itoa(h.cluster.status.PID), "--mount", "--net", "--pid"}
	if os.Geteuid() != 0 {
		words = append(words, "--user", "--preserve-credentials")
	}
	words = append(words, "setpriv", "--pdeathsig", "KILL")
	if directory, err := os.Getwd(); err == nil {
		words = append(words, "env", "--chdir", directory)
	}
	return append(append(words, "ip", "netns", "exec", h.Name), args...)
}

// sbin is the search path with the folders that an ordinary user's may lack.
func sbin() string { return "PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin" }

// Run runs a command on the host and returns what it prints on its standard
// output; the error has what it prints on standard error.
func (h Host) Run(ctx context.Context, args ...string) ([]byte, error) {
	var complaint strings.Builder
	cmd := h.Command(ctx, args...)
	cmd.Stderr = &complaint
	output, err := cmd.Output()
	if err != nil {
		return output, fmt.Errorf("%s: %s: %w: %s", h.Name, strings.Join(args, " "), err, complaint.String())
	}
	return output, nil
}

// Neighbour returns the link-layer address that the host's own neighbour table
// has for an address; "" if it has none.
func (h Host) Neighbour(ctx context.Context, address netip.Addr) (string, error) {
	output, err := h.Run(ctx, "ip", "-json", "neighbour", "show", "to", address.String())
	if err != nil {
		return "", err
	}
	var entries []struct {
		MAC string `json:"lladdr"`
	}
	if err := json.Unmarshal(output, &entries); err != nil {
		return "", fmt.Errorf("%s: neighbours: %w", h.Name, err)
	}
	for _, entry := range entries {
		if entry.MAC != "" {
			return entry.MAC, nil
		}
	}
	return "", nil
}
