package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// nearName adds to the error of a command that there is not which ones may have
// been meant, or where to see those that there are.
func nearName(root *cobra.Command, args []string, err error) error {
	if !command.IsUsage(err) || !strings.HasPrefix(err.Error(), "unknown command ") { // as cobra says it
		return err
	}
	c, rest, _ := root.Find(args)
	if c.Name() == "help" {
		c, rest, _ = root.Find(rest)
	}
	_ = c.ParseFlags(rest) // leaves the words
	words := c.Flags().Args()
	if len(words) == 0 {
		return err
	}
	if names := namesLike(c, words[0]); len(names) > 0 {
		return command.Hinted(err, "did you mean: %s", strings.Join(names, ", "))
	}
	return command.Hinted(err, "see: %s --help", c.CommandPath())
}

// namesLike returns the commands below c with a name that is like a word, or
// begins with it.
func namesLike(c *cobra.Command, word string) []string {
	names := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, sub := range c.Commands() {
		for _, name := range append([]string{sub.Name()}, sub.Aliases...) {
			if !sub.Hidden {
				names.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
			}
		}
	}
	var like []string
	for _, name := range names.SuggestionsFor(word) {
		like = append(like, c.CommandPath()+" "+name)
	}
	return like
}

// noFlag adds to the error of a flag that there is not what may have been meant: a
// minus before a term of a query.
func noFlag(c *cobra.Command, err error) error {
	if c.Name() != "search" || !command.IsUsage(err) || !strings.HasPrefix(err.Error(), "unknown shorthand flag") { // as pflag says it
		return err
	}
	return command.Hinted(err, "to exclude what fits a term write not before it, or -- before the query")
}
