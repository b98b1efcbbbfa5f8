// Package tail returns the end of log files.
package tail

import (
	"bytes"
	"os"
)

// Bytes returns the last whole lines of a file that fit into size bytes.
func Bytes(path string, size int) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil || len(text) <= size {
		return text, err
	}
	_, lines, _ := bytes.Cut(text[len(text)-size:], []byte("\n"))
	return lines, nil
}

// Lines returns the last lines of a file, at most count.
func Lines(path string, count int) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	if last := len(lines) - 1; len(lines[last]) == 0 {
		lines = lines[:last]
	}
	return bytes.Join(lines[max(0, len(lines)-count):], nil), nil
}
