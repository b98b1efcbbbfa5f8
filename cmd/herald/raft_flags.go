package main

import (
	"errors"
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/heraldlb/herald/controlplane"
)

type raftFlags struct{}

func (f *raftFlags) register(*pflag.FlagSet) {}

func (f *raftFlags) newElector(string, *slog.Logger) (controlplane.Elector, error) {
	return nil, errors.New("raft")
}
