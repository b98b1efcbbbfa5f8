// Package archive writes tar archives that depend on nothing but what is in them: sorted as given,
// all of one time, and root's.
package archive

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Entry is a file, a link if it has a Target, or a folder if its name ends in a slash.
type Entry struct {
	Name    string
	Mode    int64
	Content []byte
	Target  string
}

// File is the entry of a file on disk.
func File(name string, mode int64, path string) (Entry, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Entry{}, err
	}
	return Entry{Name: name, Mode: mode, Content: content}, nil
}

// Folder is a folder's entry.
func Folder(name string) Entry {
	return Entry{Name: name + "/", Mode: 0o755}
}

// Tree are the entries of all under a folder, sorted, for a folder of this name; "" is the archive's root.
func Tree(name, root string) ([]Entry, error) {
	var entries []Entry
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		within, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		full := filepath.ToSlash(filepath.Join(name, within))
		if full == "." {
			return nil
		}
		if d.IsDir() {
			entries = append(entries, Folder(full))
			return nil
		}
		file, err := File(full, 0o644, path)
		entries = append(entries, file)
		return err
	})
	return entries, err
}

// Tar writes the entries.
func Tar(to io.Writer, entries []Entry, at time.Time) error {
	writer := tar.NewWriter(to)
	for _, entry := range entries {
		if err := writer.WriteHeader(header(entry, at)); err != nil {
			return fmt.Errorf("%s: %w", entry.Name, err)
		}
		if _, err := writer.Write(entry.Content); err != nil {
			return fmt.Errorf("%s: %w", entry.Name, err)
		}
	}
	return writer.Close()
}

func header(entry Entry, at time.Time) *tar.Header {
	header := &tar.Header{
		Typeflag: tar.TypeReg,
		Name:     entry.Name,
		Mode:     entry.Mode,
		Size:     int64(len(entry.Content)),
		ModTime:  at,
		Format:   tar.FormatUSTAR,
	}
	switch {
	case entry.Target != "":
		header.Typeflag, header.Linkname = tar.TypeSymlink, entry.Target
	case strings.HasSuffix(entry.Name, "/"):
		header.Typeflag = tar.TypeDir
	}
	return header
}

// TarGzip is Tar, compressed.
func TarGzip(to io.Writer, entries []Entry, at time.Time) error {
	writer := gzip.NewWriter(to)
	if err := Tar(writer, entries, at); err != nil {
		return err
	}
	return writer.Close()
}
