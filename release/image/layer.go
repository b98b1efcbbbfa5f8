package image

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// entry is a file of the image, or a folder if it has no content.
type entry struct {
	name    string
	mode    int64
	content []byte
}

// file is the entry of a file on disk.
func file(name string, mode int64, path string) (entry, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return entry{}, err
	}
	return entry{name: name, mode: mode, content: content}, nil
}

// layer returns a layer of these entries, in this order, all of one time and root's: nothing of the
// machine that makes it gets in.
func layer(entries []entry, created time.Time) (v1.Layer, error) {
	var archive bytes.Buffer
	if err := writeTar(&archive, entries, created); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}

// writeTar writes a tar archive that depends on the entries and the time alone.
func writeTar(to io.Writer, entries []entry, created time.Time) error {
	writer := tar.NewWriter(to)
	for _, e := range entries {
		header := &tar.Header{
			Typeflag: tar.TypeReg,
			Name:     e.name,
			Mode:     e.mode,
			Size:     int64(len(e.content)),
			ModTime:  created,
			Format:   tar.FormatUSTAR,
		}
		if e.content == nil {
			header.Typeflag = tar.TypeDir
		}
		if err := writer.WriteHeader(header); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		if _, err := writer.Write(e.content); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return writer.Close()
}
