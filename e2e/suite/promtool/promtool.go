// Package promtool has Prometheus' own engine, as Debian ships it, judge rules by samples that
// were scraped: what they are at one moment is held for as long as rules want to see it,
// on a clock that nobody waits for.
package promtool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

const (
	program = "promtool"
	debian  = "prometheus"

	rulesFile = "rules.yaml"
	testFile  = "test.yaml"
)

// Check says whether Prometheus takes the rules.
func (r Rules) Check(ctx context.Context) error {
	return in(func(directory string) error {
		if err := r.write(directory); err != nil {
			return err
		}
		return run(ctx, directory, "check", "rules", "--lint=all", "--lint-fatal", rulesFile)
	})
}

// Verify says whether the rules make of the phases, one after another, what each wants. The
// error has what came instead.
func (r Rules) Verify(ctx context.Context, phases ...Phase) error {
	return in(func(directory string) error {
		if err := r.write(directory); err != nil {
			return err
		}
		text, err := yaml.Marshal(newTest(phases))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(directory, testFile), text, 0o600); err != nil {
			return err
		}
		return run(ctx, directory, "test", "rules", testFile)
	})
}

func (r Rules) write(directory string) error {
	text, err := yaml.Marshal(map[string]any{"groups": r.Groups})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, rulesFile), text, 0o600)
}

// in does something in a directory that is removed afterwards.
func in(do func(directory string) error) error {
	directory, err := os.MkdirTemp("", "promtool")
	if err != nil {
		return err
	}
	return errors.Join(do(directory), os.RemoveAll(directory))
}

func run(ctx context.Context, directory string, args ...string) error {
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("%w: apt-get install %s", err, debian)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = directory
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("promtool %s: %w\n%s", args[0], err, output)
	}
	return nil
}
