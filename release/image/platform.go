package image

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Built are the programs of one platform.
type Built struct {
	Platform v1.Platform
	// Dir holds herald and herald-announcer.
	Dir string
}

// ParsePlatform reads OS/ARCH or OS/ARCH/VARIANT.
func ParsePlatform(text string) (v1.Platform, error) {
	platform, err := v1.ParsePlatform(text)
	if err != nil {
		return v1.Platform{}, err
	}
	if platform.OS != "linux" || platform.Architecture == "" {
		return v1.Platform{}, fmt.Errorf("platform %q: an image is of linux/ARCH or linux/ARCH/VARIANT", text)
	}
	return *platform, nil
}
