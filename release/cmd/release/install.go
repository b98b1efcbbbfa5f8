package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/release/kustomize"
)

func newInstallCommand() *cobra.Command {
	var image, root string
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Print deploy/base with this image",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printInstall(cmd.OutOrStdout(), root, image)
		},
	}
	cmd.Flags().StringVar(&root, "root", ".", "the checkout")
	cmd.Flags().StringVar(&image, "image", "", "name and tag of the image")
	return cmd
}

func printInstall(out io.Writer, root, image string) error {
	tag, err := name.NewTag(image)
	if err != nil {
		return fmt.Errorf("--image: %w", err)
	}
	text, err := kustomize.Install(filepath.Join(root, "deploy/base"), tag.Repository.Name(), tag.TagStr())
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}
