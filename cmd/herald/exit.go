package main

import (
	"errors"
	"fmt"
	"io"
)

// exitError ends herald with this exit code and no further word: the command
// that returns it has said all there is to say.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// exitCode returns what herald exits with after a command returned err.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if exit, ok := errors.AsType[exitError](err); ok {
		return int(exit)
	}
	return 1
}

// printError prints an error that the command has not spoken of itself.
func printError(stderr io.Writer, err error) {
	if _, said := errors.AsType[exitError](err); err == nil || said {
		return
	}
	fmt.Fprintf(stderr, "herald: %v\n", err)
}
