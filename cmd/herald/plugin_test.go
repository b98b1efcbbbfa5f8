package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// output is what herald prints, called as program with these arguments.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	root := newRootCommand()
	asPlugin(root, program)
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(args)
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPlugin(t *testing.T) {
	for program, want := range map[string]string{
		"/usr/local/bin/herald":             "\n  herald status [flags]\n",
		"/home/me/.krew/bin/kubectl-herald": "\n  kubectl herald status [flags]\n",
	} {
		if got := output(t, program, "status", "--help"); !strings.Contains(got, want) {
			t.Errorf("%s status --help: no %q in\n%s", program, want, got)
		}
	}
}

func TestCompletion(t *testing.T) {
	for shell, want := range map[string]string{
		"bash": "complete -o default -F __start_herald herald", "zsh": "#compdef herald",
		"fish": "complete -c herald", "powershell": "Register-ArgumentCompleter",
	} {
		if got := output(t, "herald", "completion", shell); !strings.Contains(got, want) {
			t.Errorf("herald completion %s: no %q", shell, want)
		}
	}
	// What the scripts ask herald, and kubectl_complete-herald the plugin.
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"sta"}, "status\t"},
		{[]string{"status", "--output", ""}, "text\nwide\njson\n"},
		{[]string{"check", "-o", ""}, "text\njson\n"},
	} {
		got := output(t, "kubectl-herald", append([]string{"__complete"}, test.args...)...)
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("completions of %q: %q, want %q first", test.args, got, test.want)
		}
	}
}

func TestManPages(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second} {
		if err := writeManPages(newRootCommand(), dir, time.Unix(1700000000, 0).UTC()); err != nil {
			t.Fatal(err)
		}
	}
	for page, want := range map[string]string{
		"herald.1":              `.TH "HERALD" "1" "Nov 2023" "herald devel" "Herald"`,
		"herald-status.1":       `\fB--output\fP`,
		"herald-manifest-pod.1": `\fB--interface\fP`,
		"herald-pools.7":        "range-global: 192.168.0.200-192.168.0.220",
	} {
		text, err := os.ReadFile(filepath.Join(first, page))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("%s has no %s", page, want)
		}
		again, err := os.ReadFile(filepath.Join(second, page))
		if err != nil || !bytes.Equal(text, again) {
			t.Errorf("%s, written twice, is not the same: %v", page, err)
		}
	}
	if _, err := os.Stat(filepath.Join(first, "herald-man.1")); err == nil {
		t.Error("there is a page of herald man, which is hidden")
	}
}
