package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/release/dist"
)

type distFlags struct {
	sourceFlags
	image     string
	extras    string
	downloads string
	out       string
}

func newDistCommand() *cobra.Command {
	flags := &distFlags{downloads: "https://github.com/heraldlb/herald/releases/download"}
	cmd := &cobra.Command{
		Use:   "dist --out DIR PLATFORM=DIR...",
		Short: "Make all files of a release, of the programs in each platform's folder",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.run(cmd.OutOrStdout(), args)
		},
	}
	flags.register(cmd.Flags())
	cmd.Flags().StringVar(&flags.image, "image", "", "name and tag of the image")
	cmd.Flags().StringVar(&flags.extras, "extras", "", "folder with what goes into each archive besides: completions, man pages")
	cmd.Flags().StringVar(&flags.downloads, "downloads", flags.downloads, "where the files of all versions will be found")
	cmd.Flags().StringVar(&flags.out, "out", "", "folder to write to")
	return cmd
}

func (f *distFlags) run(out io.Writer, args []string) error {
	tag, err := name.NewTag(f.image)
	if err != nil {
		return fmt.Errorf("--image: %w", err)
	}
	built, err := parseBuilt(args)
	if err != nil {
		return err
	}
	names, err := dist.Make(dist.Release{
		Source:    f.source(),
		Image:     tag,
		Built:     built,
		Root:      f.root,
		Extras:    f.extras,
		Downloads: f.downloads,
	}, f.out)
	for _, name := range names {
		fmt.Fprintln(out, filepath.Join(f.out, name))
	}
	return err
}
