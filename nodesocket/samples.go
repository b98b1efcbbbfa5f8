package nodesocket

import "github.com/heraldlb/herald/announcer"

// sampleMessages carries what source returns; a ping if there is nothing.
func sampleMessages(source func() []announcer.Sample) []*message {
	if source == nil {
		return ping()
	}
	var messages []*message
	cut := parts(source(), sampleBytes)
	for i, part := range cut {
		messages = append(messages, &message{Kind: kindSamples, Samples: part, More: i+1 < len(cut)})
	}
	return messages
}

func ping() []*message { return []*message{{Kind: kindPing}} }
