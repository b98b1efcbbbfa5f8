package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"

	"sigs.k8s.io/yaml"
)

// YAML returns objects as kubectl and the kubelet read them, without what is theirs to
// say.
func YAML(objects ...any) ([]byte, error) {
	var out bytes.Buffer
	for i, object := range objects {
		text, err := marshal(object)
		if err != nil {
			return nil, fmt.Errorf("%T: %w", object, err)
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

func marshal(object any) ([]byte, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	delete(fields, "status")
	trim(fields)
	return yaml.Marshal(fields)
}

// trim takes out what has no value: a time that is null.
func trim(fields map[string]any) {
	for key, value := range fields {
		switch value := value.(type) {
		case nil:
			delete(fields, key)
		case map[string]any:
			trim(value)
		}
	}
}
