package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newManCommand is for whoever packs herald: it is hidden.
func newManCommand() *cobra.Command {
	var date int64
	cmd := &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the man pages of all commands into a folder",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return writeManPages(cmd.Root(), args[0], time.Unix(date, 0).UTC())
		},
	}
	cmd.Flags().Int64Var(&date, "date", 0, "date of the pages, in seconds of 1970")
	return cmd
}

// writeManPages writes a page for each command and topic.
func writeManPages(root *cobra.Command, dir string, date time.Time) error {
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Section: "1", Source: "herald " + version, Manual: "Herald", Date: &date}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("man pages: %w", err)
	}
	pages := doc.GenManTreeOptions{Header: header, Path: dir, CommandSeparator: "-"}
	if err := doc.GenManTreeFromOpts(root, pages); err != nil {
		return fmt.Errorf("man pages: %w", err)
	}
	return writeTopicPages(root, dir, date)
}

// writeTopicPages writes the help topics, which cobra leaves out.
func writeTopicPages(root *cobra.Command, dir string, date time.Time) error {
	for _, topic := range root.Commands() {
		if !topic.IsAdditionalHelpTopicCommand() {
			continue
		}
		page := *topic
		page.Long = "```\n" + topic.Long + "```" // laid out already
		var text strings.Builder
		header := &doc.GenManHeader{Section: "7", Source: "herald " + version, Manual: "Herald", Date: &date}
		if err := doc.GenMan(&page, header, &text); err != nil {
			return fmt.Errorf("man page of %s: %w", topic.Name(), err)
		}
		path := filepath.Join(dir, "herald-"+topic.Name()+".7")
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			return fmt.Errorf("man pages: %w", err)
		}
	}
	return nil
}
