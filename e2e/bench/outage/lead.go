package outage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Probe is an asker that runs on a host.
type Probe struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	encoder *json.Encoder
	decoder *json.Decoder
}

// Start starts an asker by the command, which is this program's on a host, up
// to the task.
func Start(cmd *exec.Cmd, task Task) (*Probe, error) {
	text, err := json.Marshal(task)
	if err != nil {
		return nil, err
	}
	cmd.Args = append(cmd.Args, string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("asker: %w", err)
	}
	return &Probe{cmd: cmd, in: in, encoder: json.NewEncoder(in), decoder: json.NewDecoder(out)}, nil
}

// Begin forgets all that was asked so far.
func (p *Probe) Begin() error {
	_, err := p.do(command{Begin: true})
	return err
}

// Settle waits until everything was answered for quiet, and returns what became
// of the requests since Begin, with an error if that did not come in time.
func (p *Probe) Settle(_ context.Context, quiet, patience time.Duration) ([]Result, error) {
	return p.do(command{Quiet: quiet, Patience: patience})
}

func (p *Probe) do(next command) ([]Result, error) {
	var got reply
	if err := errors.Join(p.encoder.Encode(next), p.decoder.Decode(&got)); err != nil {
		return nil, fmt.Errorf("asker: %w", err)
	}
	if got.Error != "" {
		return got.Results, fmt.Errorf("asker: %s", got.Error)
	}
	return got.Results, nil
}

// Stop ends the asker.
func (p *Probe) Stop() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }
