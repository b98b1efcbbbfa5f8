package raft

import (
	"io"
	"log"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// logger has hashicorp/raft log by slog. What it takes for worth an information or a
// warning it does again and again while a peer is away; the elector says what matters.
type logger struct {
	hclog.Logger
	log *slog.Logger
}

func newLogger(l *slog.Logger) hclog.Logger { return &logger{hclog.NewNullLogger(), l} }

// Error implements hclog.Logger.
func (l *logger) Error(message string, args ...any) { l.tell("error", message, args) }

// Warn implements hclog.Logger.
func (l *logger) Warn(message string, args ...any) { l.tell("warning", message, args) }

// Info implements hclog.Logger.
func (l *logger) Info(message string, args ...any) { l.tell("information", message, args) }

func (l *logger) tell(level, message string, args []any) {
	l.log.Debug("raft says", append([]any{"level", level, "message", message}, args...)...)
}

// Named implements hclog.Logger.
func (l *logger) Named(string) hclog.Logger { return l }

// With implements hclog.Logger.
func (l *logger) With(...any) hclog.Logger { return l }

// ResetNamed implements hclog.Logger.
func (l *logger) ResetNamed(string) hclog.Logger { return l }

// StandardLogger implements hclog.Logger.
func (l *logger) StandardLogger(*hclog.StandardLoggerOptions) *log.Logger {
	return log.New(io.Discard, "", 0)
}
