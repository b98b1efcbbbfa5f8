// Command identity stands in for Herald in a test of the lab's containers: it
// prints what it is and sees, and ends when it is told to.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

const live = "/data/live"

func main() {
	if os.Args[1] == "probe" {
		_, err := os.Stat(live)
		check(err)
		return
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	token, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/token")
	check(err)
	root, err := os.ReadDir("/")
	check(err)
	groups, err := os.Getgroups()
	check(err)
	status, err := os.ReadFile("/proc/self/status")
	check(err)
	var names []string
	for _, entry := range root {
		names = append(names, entry.Name())
	}
	check(os.WriteFile(live, nil, 0o600))
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"pid":          os.Getpid(),
		"args":         os.Args[1:],
		"user":         os.Getuid(),
		"group":        os.Getgid(),
		"groups":       groups,
		"capabilities": field(string(status), "CapBnd"),
		"effective":    field(string(status), "CapEff"),
		"noNew":        field(string(status), "NoNewPrivs"),
		"token":        string(token),
		"root":         names,
		"rootIsShut":   os.WriteFile("/file", nil, 0o600) != nil,
		"environment":  os.Environ(),
	}))
	<-told
	fmt.Println("told to end")
}

func field(status, name string) string {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
