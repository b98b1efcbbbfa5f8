// Package machine tells how busy the machine is that all hosts share.
package machine

import (
	"fmt"
	"os"
)

// Load returns the machine's load average of the last minute.
func Load() (average float64, err error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscan(string(text), &average)
	return average, err
}
