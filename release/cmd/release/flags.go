package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/heraldlb/herald/release/image"
)

// sourceFlags say which sources the programs are of.
type sourceFlags struct {
	version string
	commit  string
	created int64
	root    string
}

func (f *sourceFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.version, "version", "devel", "version of the programs")
	flags.StringVar(&f.commit, "commit", "unknown", "commit they are of")
	flags.Int64Var(&f.created, "created", 0, "time of the commit, in seconds of 1970 (SOURCE_DATE_EPOCH)")
	flags.StringVar(&f.root, "root", ".", "the checkout")
}

func (f *sourceFlags) source() image.Source {
	return image.Source{
		Version: f.version,
		Commit:  f.commit,
		Created: time.Unix(f.created, 0).UTC(),
		Licence: filepath.Join(f.root, "LICENSE"),
	}
}

// parseBuilt reads PLATFORM=DIR.
func parseBuilt(args []string) ([]image.Built, error) {
	var all []image.Built
	for _, arg := range args {
		text, dir, _ := strings.Cut(arg, "=")
		platform, err := image.ParsePlatform(text)
		if err != nil {
			return nil, err
		}
		if dir == "" {
			return nil, fmt.Errorf("%q: PLATFORM=DIR, a folder with the programs", arg)
		}
		all = append(all, image.Built{Platform: platform, Dir: dir})
	}
	return all, nil
}

// create has a file written in whole or not at all.
func create(path string, write func(*os.File) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	err = write(file)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(file.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
