package image

import (
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/heraldlb/herald/release/archive"
)

// WriteDocker writes an archive of one image that docker load, and all the others, take.
func WriteDocker(to io.Writer, tag name.Tag, image v1.Image) error {
	return tarball.Write(tag, image, to)
}

// WriteOCI writes an OCI image layout as a tar archive: what skopeo calls an oci-archive, and
// containerd imports.
func WriteOCI(to io.Writer, tag name.Tag, index v1.ImageIndex, created time.Time) (err error) {
	dir, err := os.MkdirTemp("", "herald-oci-")
	if err != nil {
		return err
	}
	defer func() {
		if gone := os.RemoveAll(dir); err == nil {
			err = gone
		}
	}()
	root, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	names := map[string]string{
		"org.opencontainers.image.ref.name": tag.TagStr(),
		"io.containerd.image.name":          containerdName(tag),
	}
	if err := root.AppendIndex(index, layout.WithAnnotations(names)); err != nil {
		return err
	}
	entries, err := archive.Tree("", dir)
	if err != nil {
		return err
	}
	return archive.Tar(to, entries, created)
}

// containerdName is the tag in full, by the name that containerd gives Docker's registry.
func containerdName(tag name.Tag) string {
	if rest, ok := strings.CutPrefix(tag.Name(), name.DefaultRegistry+"/"); ok {
		return "docker.io/" + rest
	}
	return tag.Name()
}
