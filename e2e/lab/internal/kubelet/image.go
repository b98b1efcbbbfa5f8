package kubelet

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/heraldlb/herald/e2e/lab/internal/container"
)

// heraldImage is the last component of the image names that stand for the
// project's own programs.
const heraldImage = "herald"

// What the project's image has of its own (release/image).
const (
	imageEntrypoint = "/herald"
	imageAnnouncer  = "/herald-announcer"
)

// image is what the root of a container begins with.
type image struct {
	entrypoint string
	programs   []container.Mount
}

// image returns the image of that name, if there are programs for it: Herald's, or one of
// another project whose name, without the registry's, is that of a file beside them with
// dashes for slashes: metallb-controller for quay.io/metallb/controller:v0.16.2.
func (k *Kubelet) image(reference string) (image, bool) {
	name := imageName(reference)
	base := name[strings.LastIndex(name, "/")+1:]
	if base == heraldImage {
		return image{imageEntrypoint, []container.Mount{
			k.program("herald", imageEntrypoint), k.program("herald-announcer", imageAnnouncer),
		}}, true
	}
	_, path, registry := strings.Cut(name, "/")
	program := k.program(strings.ReplaceAll(path, "/", "-"), "/"+base)
	if _, err := os.Stat(program.Source); !registry || err != nil {
		return image{}, false
	}
	return image{program.Target, []container.Mount{program}}, true
}

func (k *Kubelet) program(file, target string) container.Mount {
	return container.Mount{Source: filepath.Join(k.config.Programs, file), Target: target, ReadOnly: true}
}

// imageName is a reference without its tag and digest.
func imageName(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		name = name[:colon]
	}
	return name
}
