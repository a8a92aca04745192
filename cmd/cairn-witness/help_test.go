package main

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// commands calls f for each command of ours.
func commands(f func(c *cobra.Command)) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		f(c)
		for _, sub := range c.Commands() {
			if sub.Name() != "help" && sub.Name() != "completion" {
				walk(sub)
			}
		}
	}
	walk(new(program).root())
}

func TestEveryHelpEndsWithTheExitStatuses(t *testing.T) {
	commands(func(c *cobra.Command) {
		var out bytes.Buffer
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		if status := run(t.Context(), args, strings.NewReader(""), &out, &out); status != command.Yes {
			t.Errorf("%s --help exits with %d", c.CommandPath(), status)
		}
		if !strings.HasSuffix(out.String(), exitHelp) {
			t.Errorf("%s --help does not end with the exit statuses:\n%s", c.CommandPath(), &out)
		}
		if c.Example == "" && !c.HasSubCommands() {
			t.Errorf("%s has no example", c.CommandPath())
		}
	})
}

func TestTheManPageHasEverything(t *testing.T) {
	page, err := os.ReadFile("../../doc/man/cairn-witness.8")
	must(t, err)
	commands(func(c *cobra.Command) {
		if name := strings.TrimPrefix(c.CommandPath(), "cairn-witness"); name != "" && !c.HasSubCommands() {
			if want := fmt.Sprintf("\n.It Xo\n.Cm%s\n", name); !strings.Contains(string(page), want) {
				t.Errorf("the man page has no command%s: %q", name, want)
			}
		}
		for _, flags := range []*pflag.FlagSet{c.LocalFlags(), c.PersistentFlags()} {
			flags.VisitAll(func(f *pflag.Flag) {
				if f.Name != "help" && !strings.Contains(string(page), "\n.It Fl -"+f.Name) {
					t.Errorf("the man page has no flag --%s", f.Name)
				}
			})
		}
	})
	for setting := range reflect.TypeFor[Config]().Fields() {
		if want := "\n.It Ic " + setting.Tag.Get("toml") + "\n"; !strings.Contains(string(page), want) {
			t.Errorf("the man page has no setting %s", setting.Tag.Get("toml"))
		}
	}
}

// The configuration that init writes is read, and so it is with the lines that
// are comments in it; together they have every setting.
func TestSampleConfig(t *testing.T) {
	sample := (&initOptions{listen: defaultListen}).config()
	var c Config
	must(t, decode([]byte(sample), &c))
	if c.Listen != defaultListen || c.Certificate != "" || c.Lists != nil {
		t.Errorf("the sample says %+v", c)
	}
	var lines []string
	for line := range strings.Lines(sample) {
		if rest, ok := strings.CutPrefix(line, "#"); ok && !strings.HasPrefix(rest, " ") {
			line = rest
		}
		lines = append(lines, line)
	}
	c = Config{}
	must(t, decode([]byte(strings.Join(lines, "")), &c))
	for i := range reflect.TypeFor[Config]().NumField() {
		if reflect.ValueOf(c).Field(i).IsZero() {
			t.Errorf("the sample does not show the setting %s", reflect.TypeFor[Config]().Field(i).Name)
		}
	}
}
