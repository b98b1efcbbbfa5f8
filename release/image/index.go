package image

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Index returns one image for several platforms.
func Index(source Source, platforms []Built) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, built := range platforms {
		image, err := Image(source, built)
		if err != nil {
			return nil, fmt.Errorf("image for %s: %w", built.Platform, err)
		}
		platform := built.Platform
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        container{image},
			Descriptor: v1.Descriptor{Platform: &platform},
		})
	}
	annotated, ok := mutate.Annotations(index, annotations(source)).(v1.ImageIndex)
	if !ok {
		return nil, fmt.Errorf("an index with annotations is a %T", annotated)
	}
	return annotated, nil
}

// container is an image that the index does not call an artifact of its configuration's type: older
// programs do not know that field, and change the index's digest when they copy it.
type container struct{ v1.Image }

// ArtifactType implements what partial.Descriptor looks for.
func (container) ArtifactType() (string, error) { return "", nil }
