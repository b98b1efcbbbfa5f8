package kind

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// recorded is where tcpdump writes, in the folder of the evidence: to files with a number
// after this name, and in turns.
const recorded = "segment.pcap"

// record begins to write down what the segment carries but the requests themselves, some
// hundred megabytes at most: tcpdump's file segment.pcap in the evidence.
func (c *Cluster) record(ctx context.Context) error {
	if err := errors.Join(os.RemoveAll(c.Evidence), os.MkdirAll(c.Evidence, 0o755)); err != nil {
		return err
	}
	segment, err := inspect(ctx)
	if err != nil {
		return err
	}
	c.recording = exec.CommandContext(context.WithoutCancel(ctx), "tcpdump", "-i", segment.Bridge, "-Z", "root", "-U", "-s", "200",
		"-C", "100", "-W", "2", "-w", filepath.Join(c.Evidence, recorded), "arp or icmp6 or udp port 9645 or udp port 3784 or tcp port 80 or tcp port 179 or tcp portrange 1790-1792")
	return c.recording.Start()
}

// Heard returns the last lines about who has which address, as tcpdump prints them, that
// the segment carried since then.
func (c *Cluster) Heard(ctx context.Context, since time.Time) ([]byte, error) {
	const lines = 150
	begin := since.Format("2006-01-02 15:04:05")
	files, err := filepath.Glob(filepath.Join(c.Evidence, recorded+"*"))
	if err != nil {
		return nil, err
	}
	var heard []string
	for _, file := range files {
		// The last packet may be half written, and tcpdump complains.
		text, err := exec.CommandContext(ctx, "tcpdump", "-Z", "root", "-nn", "-tttt", "-r", file, "arp or icmp6").Output()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			return nil, err
		}
		for scanner := bufio.NewScanner(bytes.NewReader(text)); scanner.Scan(); {
			if line := scanner.Text(); line >= begin {
				heard = append(heard, line)
			}
		}
	}
	slices.Sort(heard) // by their time
	return []byte(strings.Join(heard[max(0, len(heard)-lines):], "\n")), nil
}

// StopRecording ends that.
func (c *Cluster) StopRecording() error {
	if c.recording == nil {
		return nil
	}
	defer func() { c.recording = nil }()
	if err := c.recording.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return c.recording.Wait()
}

// Collect puts what may explain a failure into the folder of the evidence: the nodes' logs
// and those of all Pods, beside the record of the segment.
func (c *Cluster) Collect(ctx context.Context) error {
	c.says("what may explain the failure: " + c.Evidence)
	return errors.Join(c.StopRecording(), c.kind(ctx, nil, "export", "logs", filepath.Join(c.Evidence, "nodes"), "--name", Name))
}

// Discard takes the evidence away.
func (c *Cluster) Discard() error {
	return errors.Join(c.StopRecording(), os.RemoveAll(c.Evidence))
}
