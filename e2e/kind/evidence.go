package kind

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

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
		"-C", "100", "-W", "2", "-w", filepath.Join(c.Evidence, "segment.pcap"), "arp or icmp6 or udp port 9645 or tcp port 80")
	return c.recording.Start()
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
