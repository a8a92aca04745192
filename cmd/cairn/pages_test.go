package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const pages = "../../doc/man"

// visible returns the commands below c that help shows, but for help itself.
func visible(c *cobra.Command) (list []*cobra.Command) {
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			list = append(list, sub)
		}
	}
	return list
}

// flagsOf returns the flags that are declared by a command or below it, each
// with its shorthand: "-output" and "o".
func flagsOf(c *cobra.Command) map[string]bool {
	names := make(map[string]bool)
	add := func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		names["-"+f.Name] = true
		if f.Shorthand != "" {
			names[f.Shorthand] = true
		}
	}
	c.LocalNonPersistentFlags().VisitAll(add)
	for _, sub := range visible(c) {
		maps.Copy(names, flagsOf(sub))
	}
	return names
}

var (
	itemLine = regexp.MustCompile(`(?m)^\.It .*$`)
	flagName = regexp.MustCompile(`\bFl (-?[a-z][a-z-]*)`)
)

// documented returns the flags that the items of a page are about.
func documented(page string) map[string]bool {
	names := make(map[string]bool)
	for _, line := range itemLine.FindAllString(page, -1) {
		for _, m := range flagName.FindAllStringSubmatch(line, -1) {
			names[m[1]] = true
		}
	}
	return names
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(pages, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func newRoot() *cobra.Command {
	p := &program{env: os.Getenv}
	return p.root()
}

func TestEveryFlagAndCommandIsOnItsPage(t *testing.T) {
	root := newRoot()
	want := map[string]bool{"-help": true, "h": true}
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { want["-"+f.Name] = true })
	main := readPage(t, "cairn.1")
	compareFlags(t, "cairn.1", want, documented(main))
	checkStatuses(t, "cairn.1", main)
	known := []string{"cairn.1"}
	for _, c := range visible(root) {
		name := "cairn-" + c.Name() + ".1"
		known = append(known, name)
		if !strings.Contains(main, "\n.It Ic "+c.Name()+"\n") || !strings.Contains(main, "\n.Xr cairn-"+c.Name()+" 1 .\n") {
			t.Errorf("cairn.1 does not list the command %s with its page", c.Name())
		}
		page := readPage(t, name)
		compareFlags(t, name, flagsOf(c), documented(page))
		checkStatuses(t, name, page)
		for _, sub := range visible(c) {
			for _, word := range append(sub.Aliases, sub.Name()) {
				if !regexp.MustCompile(`\n\.(It )?Cm ([a-z]+ \| )*` + word + `\b`).MatchString(page) {
					t.Errorf("%s does not have the command %s %s", name, c.Name(), word)
				}
			}
		}
	}
	found, err := filepath.Glob(filepath.Join(pages, "cairn*.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if !slices.Contains(known, filepath.Base(path)) {
			t.Errorf("%s is the page of no command", path)
		}
	}
}

func compareFlags(t *testing.T, page string, want, got map[string]bool) {
	t.Helper()
	for name := range want {
		if !got[name] {
			t.Errorf("%s: the flag -%s has no item", page, name)
		}
	}
	for name := range got {
		if !want[name] {
			t.Errorf("%s: there is no flag -%s", page, name)
		}
	}
}

// checkStatuses demands the exit statuses of help texts, word for word.
func checkStatuses(t *testing.T, name, page string) {
	t.Helper()
	_, section, _ := strings.Cut(page, ".Sh EXIT STATUS\n")
	for line := range strings.Lines(strings.TrimPrefix(exitHelp, "\nExit status:\n")) {
		status, text, _ := strings.Cut(strings.TrimSpace(line), "  ")
		item := ".It " + status + "\n" + strings.ToUpper(text[:1]) + text[1:] + ".\n"
		if !strings.Contains(section, item) {
			t.Errorf("%s: its exit statuses lack %q", name, item)
		}
	}
}

func TestEveryHelpTextIsComplete(t *testing.T) {
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		var b strings.Builder
		c.SetOut(&b)
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		help := b.String()
		if !strings.HasSuffix(help, exitHelp) {
			t.Errorf("%s: the help does not end with the exit statuses", c.CommandPath())
		}
		if c.Parent() != nil && c.Parent().Name() != "completion" && !strings.Contains(help, "Examples:") && c.Name() != "completion" {
			t.Errorf("%s: the help has no examples", c.CommandPath())
		}
		for _, sub := range visible(c) {
			check(sub)
		}
	}
	check(newRoot())
}
