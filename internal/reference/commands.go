package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/heraldlb/herald/manifest/settings"
)

// programs are Herald's own, in a folder: what they take is asked of themselves.
type programs struct{ dir string }

func build(ctx context.Context, root string) (p programs, err error) {
	if p.dir, err = os.MkdirTemp("", "herald-reference-*"); err != nil {
		return p, err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", p.dir, "./cmd/...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return p, errors.Join(fmt.Errorf("build Herald: %w: %s", err, output), os.RemoveAll(p.dir))
	}
	return p, nil
}

// help returns what a command says of itself, in an empty environment: some defaults are
// from there.
func (p programs) help(ctx context.Context, path []string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, "herald"), append(slices.Clone(path), "--help")...)
	cmd.Env = []string{}
	output, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("herald %s --help: %w: %s", strings.Join(path, " "), err, output)
	}
	return string(output), nil
}

// commands are those of herald, each with its flags.
func (p programs) commands(ctx context.Context) (string, error) {
	var text strings.Builder
	err := p.walk(ctx, nil, "", func(path []string, short, help string) error {
		if len(path) == 0 {
			return nil
		}
		rows, taken, err := flags(help)
		if err != nil {
			return fmt.Errorf("herald %s --help: %w", strings.Join(path, " "), err)
		}
		fmt.Fprintf(&text, "### herald %s\n%s.\n\n    %s\n", strings.Join(path, " "), short, usage(help))
		if len(rows) > 1 {
			text.WriteString("\n" + table(rows) + "\n")
		}
		if taken {
			text.WriteString("\nAnd [kube-vip's flags, and some of Herald's](#kube-vips-flags-and-environment).\n")
		}
		text.WriteString("\n")
		return nil
	})
	return strings.TrimSpace(text.String()), err
}

// walk visits a command and those under it; cobra's own are left out.
func (p programs) walk(ctx context.Context, path []string, short string, visit func(path []string, short, help string) error) error {
	help, err := p.help(ctx, path)
	if err != nil {
		return err
	}
	if err := visit(path, short, help); err != nil {
		return err
	}
	for line := range strings.Lines(section(help, "Available Commands:")) {
		name, short, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "" || name == "completion" || name == "help" {
			continue
		}
		if err := p.walk(ctx, append(slices.Clone(path), name), strings.TrimSpace(short), visit); err != nil {
			return err
		}
	}
	return nil
}

// section returns what follows a heading of a help text, up to an empty line.
func section(help, heading string) string {
	_, after, _ := strings.Cut(help, heading+"\n")
	body, _, _ := strings.Cut(after, "\n\n")
	return body
}

// usage returns the first line of that section.
func usage(help string) string {
	line, _, _ := strings.Cut(section(help, "Usage:"), "\n")
	return strings.TrimSpace(line)
}

// flags reads the flags of a help text. Where they are kube-vip's, which it tells, those
// are left out.
func flags(help string) (rows [][]string, taken bool, err error) {
	line := regexp.MustCompile(`^ +(?:-(\w), )?--(\S+)(?: (\S+))? {2,}(.*)$`)
	listed := section(help, "Flags:")
	var known []string
	if taken = strings.Contains(listed, "--leaderElectionType "); taken {
		for _, s := range settings.All() {
			known = append(known, s.Flag)
		}
	}
	rows = [][]string{{"flag", "value", "default", "what it does"}}
	for text := range strings.SplitSeq(strings.TrimRight(listed, "\n"), "\n") {
		match := line.FindStringSubmatch(text)
		if match == nil {
			return nil, false, fmt.Errorf("not a flag: %q", text)
		}
		short, name, kind := match[1], match[2], match[3]
		if name == "help" || slices.Contains(known, name) {
			continue
		}
		quoted := "--" + name
		if short != "" {
			quoted += ", -" + short
		}
		what, value := cutDefault(match[4])
		rows = append(rows, []string{code(quoted), kind, usual(value), what})
	}
	return rows, taken, nil
}

// cutDefault parts what a flag is for from its default, which pflag puts at the end.
func cutDefault(text string) (what, value string) {
	const begin, end = " (default ", ")"
	at := strings.LastIndex(text, begin)
	if at < 0 || !strings.HasSuffix(text, end) {
		return text, ""
	}
	return text[:at], strings.Trim(text[at+len(begin):len(text)-len(end)], `"[]`)
}
