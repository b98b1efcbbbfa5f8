package image

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
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
		"io.containerd.image.name":          tag.Name(),
	}
	if err := root.AppendIndex(index, layout.WithAnnotations(names)); err != nil {
		return err
	}
	entries, err := tree(dir)
	if err != nil {
		return err
	}
	return writeTar(to, entries, created)
}

// tree returns all under a folder, sorted.
func tree(root string) ([]entry, error) {
	var entries []entry
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			entries = append(entries, entry{name: filepath.ToSlash(name) + "/", mode: 0o755})
			return nil
		}
		content, err := file(filepath.ToSlash(name), 0o644, path)
		entries = append(entries, content)
		return err
	})
	return entries, err
}
