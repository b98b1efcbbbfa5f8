package main

import (
	"embed"

	"github.com/spf13/cobra"
)

//go:embed topics/*.txt
var topicTexts embed.FS

// newTopics returns what `herald help TOPIC` tells besides the commands.
func newTopics() []*cobra.Command {
	return []*cobra.Command{
		newTopic("pools", "The ConfigMap of the pools"),
		newTopic("bgp", "Addresses told to routers"),
		newTopic("annotations", "What a Service may ask for"),
		newTopic("conditions", "What a Service's conditions say"),
	}
}

// newTopic is a command that does nothing: cobra lists such as help topics.
func newTopic(name, short string) *cobra.Command {
	text, err := topicTexts.ReadFile("topics/" + name + ".txt")
	if err != nil {
		panic(err) // it is in the program
	}
	return &cobra.Command{Use: name, Short: short, Long: string(text), DisableFlagsInUseLine: true}
}
