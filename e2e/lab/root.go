package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// errNoCheckout: the lab runs the programs of a checkout.
var errNoCheckout = errors.New("not inside a checkout of Herald")

// Root returns the checkout that the program belongs to: the one that its
// file is in, or else the one around the working directory, as for a test.
func Root() (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	if root, ok := checkoutAround(filepath.Dir(program)); ok {
		return root, nil
	}
	directory, err := os.Getwd()
	if err != nil {
		return "", err
	}
	if root, ok := checkoutAround(directory); ok {
		return root, nil
	}
	return "", fmt.Errorf("%s: %w", directory, errNoCheckout)
}

func checkoutAround(directory string) (string, bool) {
	for {
		if _, err := os.Stat(filepath.Join(directory, "e2e", "lab", "lab.go")); err == nil {
			return directory, true
		}
		parent := filepath.Dir(directory)
		if parent == directory {
			return "", false
		}
		directory = parent
	}
}
