package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// asHerald makes the test binary run `herald announcer` with its arguments.
const asHerald = "HERALD_TEST_ANNOUNCER_COMMAND"

// `herald announcer` becomes the program beside it, flags and all.
func TestAnnouncerCommand(t *testing.T) {
	if os.Getenv(asHerald) != "" {
		cmd := newAnnouncerCommand()
		cmd.SetArgs([]string{"--socket", "/x"})
		t.Fatal(cmd.ExecuteContext(t.Context()))
	}
	herald := filepath.Join(t.TempDir(), "herald")
	copySelf(t, herald)
	run := func() (string, error) {
		cmd := exec.CommandContext(t.Context(), herald, "-test.run", "^TestAnnouncerCommand$")
		cmd.Env = append(os.Environ(), asHerald+"=1")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	program := filepath.Join(filepath.Dir(herald), announcerProgram)
	if out, err := run(); err == nil || !strings.Contains(out, program) {
		t.Errorf("without the program it says %q, want it named", out)
	}
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho announcing \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := run(); err != nil || out != "announcing --socket /x\n" {
		t.Errorf("it says %q, %v", out, err)
	}
}

// copySelf copies the test binary.
func copySelf(t *testing.T, to string) {
	t.Helper()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = self.Close() }()
	file, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(file, self); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
