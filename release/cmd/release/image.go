package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/release/image"
)

type imageFlags struct {
	sourceFlags
	image  string
	oci    string
	docker string
}

func newImageCommand() *cobra.Command {
	flags := new(imageFlags)
	cmd := &cobra.Command{
		Use:   "image PLATFORM=DIR...",
		Short: "Make the container image of the programs in each platform's folder",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.run(cmd.OutOrStdout(), args)
		},
	}
	flags.register(cmd.Flags())
	cmd.Flags().StringVar(&flags.image, "image", "", "name and tag of the image")
	cmd.Flags().StringVar(&flags.oci, "oci", "", "write an OCI archive of all platforms here")
	cmd.Flags().StringVar(&flags.docker, "docker", "", "write a docker archive of the one platform here")
	return cmd
}

func (f *imageFlags) run(out io.Writer, args []string) error {
	tag, err := name.NewTag(f.image)
	if err != nil {
		return fmt.Errorf("--image: %w", err)
	}
	built, err := parseBuilt(args)
	if err != nil {
		return err
	}
	if f.docker != "" {
		if len(built) != 1 {
			return errors.New("--docker: such an archive has one platform")
		}
		if err := f.writeDocker(out, tag, built[0]); err != nil {
			return err
		}
	}
	if f.oci == "" {
		return nil
	}
	return f.writeOCI(out, tag, built)
}

func (f *imageFlags) writeDocker(out io.Writer, tag name.Tag, built image.Built) error {
	single, err := image.Image(f.source(), built)
	if err != nil {
		return err
	}
	digest, err := single.Digest()
	if err != nil {
		return err
	}
	err = create(f.docker, func(file *os.File) error { return image.WriteDocker(file, tag, single) })
	if err == nil {
		fmt.Fprintf(out, "%s for %s: %s, %s\n", tag, built.Platform, f.docker, digest)
	}
	return err
}

func (f *imageFlags) writeOCI(out io.Writer, tag name.Tag, built []image.Built) error {
	index, err := image.Index(f.source(), built)
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	err = create(f.oci, func(file *os.File) error { return image.WriteOCI(file, tag, index, f.source().Created) })
	if err == nil {
		fmt.Fprintf(out, "%s for %d platforms: %s, %s\n", tag, len(built), f.oci, digest)
	}
	return err
}
