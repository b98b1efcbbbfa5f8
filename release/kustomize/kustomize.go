// Package kustomize renders the kustomizations of deploy/.
package kustomize

import (
	"fmt"

	"sigs.k8s.io/kustomize/api/filters/imagetag"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// image is the name that deploy/ gives Herald's image.
const image = "ghcr.io/heraldlb/herald"

// Render returns what `kubectl kustomize` prints of a folder.
func Render(folder string) ([]byte, error) {
	return render(folder, types.Image{})
}

// Install is Render with another image.
func Install(folder, name, tag string) ([]byte, error) {
	return render(folder, types.Image{Name: image, NewName: name, NewTag: tag})
}

func render(folder string, replacement types.Image) ([]byte, error) {
	objects, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", folder, err)
	}
	if replacement.Name != "" {
		if err := objects.ApplyFilter(imagetag.LegacyFilter{ImageTag: replacement}); err != nil {
			return nil, fmt.Errorf("image of %s: %w", folder, err)
		}
	}
	text, err := objects.AsYaml()
	if err != nil {
		return nil, fmt.Errorf("print %s: %w", folder, err)
	}
	return text, nil
}
