package controlplane

import (
	"fmt"
	"os"
)

// load is the machine's load average of the last minute.
func load() (average float64, err error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscan(string(text), &average)
	return average, err
}
