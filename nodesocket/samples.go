package nodesocket

import (
	"slices"

	"github.com/heraldlb/herald/announcer"
)

// sampleMessages carries what source returns; a ping if there is nothing.
func sampleMessages(source func() []announcer.Sample) []*message {
	if source == nil {
		return ping()
	}
	var messages []*message
	for chunk := range slices.Chunk(source(), maxSamples) {
		messages = append(messages, &message{Kind: kindSamples, Samples: chunk, More: true})
	}
	if len(messages) == 0 {
		return ping()
	}
	messages[len(messages)-1].More = false
	return messages
}

func ping() []*message { return []*message{{Kind: kindPing}} }
