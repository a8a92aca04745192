package command_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

const statuses = `
Exit status:
  0  done
`

// newProgram returns a program with the commands "tool fail" and "tool sub
// leaf", and what it talks to.
func newProgram(fail error) (p *command.Program, root *cobra.Command, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	p, root = programTo(stdout, stderr, fail)
	return p, root, stdout, stderr
}

func programTo(stdout, stderr io.Writer, fail error) (p *command.Program, root *cobra.Command) {
	p = &command.Program{Name: "tool", Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr}
	root = &cobra.Command{Use: "tool", Short: "Do things"}
	sub := &cobra.Command{Use: "sub", Short: "Has others below it"}
	sub.AddCommand(&cobra.Command{Use: "leaf", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error { return fail }})
	root.AddCommand(sub, &cobra.Command{Use: "fail", RunE: func(*cobra.Command, []string) error { return fail }})
	p.SetUp(root, statuses)
	return p, root
}

func Example() {
	p := &command.Program{Name: "tool", Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stdout}
	root := &cobra.Command{Use: "tool"}
	root.AddCommand(&cobra.Command{Use: "read FILE", Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		_, err := command.ReadFile(args[0], 1<<20)
		return command.Hinted(err, "make it with: tool write")
	}})
	p.SetUp(root, statuses)
	for _, args := range [][]string{{"read", "missing"}, {"read"}, {"version", "--colour"}} {
		if _, err := p.Execute(context.Background(), root, args); err != nil {
			p.Fail(err)
			fmt.Println("wrong usage:", command.IsUsage(err))
		}
	}
	// Output:
	// tool: open missing: no such file or directory
	// hint: make it with: tool write
	// wrong usage: false
	// tool: accepts 1 arg(s), received 0
	// hint: see: tool read --help
	// wrong usage: true
	// tool: unknown flag: --colour
	// hint: see: tool version --help
	// wrong usage: true
}

func TestWhatRanIsToldApartFromWrongUsage(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		args  string
		usage bool
		want  string
	}{
		"a command that fails":            {"fail", false, "tool: broken\n"},
		"one below another that fails":    {"sub leaf", false, "tool: broken\n"},
		"a command that there is not":     {"fial", true, "tool: unknown command \"fial\" for \"tool\"\nhint: see: tool --help\n"},
		"none of those below":             {"sub", true, "tool: which one? Give a subcommand\nhint: see: tool sub --help\n"},
		"one below that there is not":     {"sub twig", true, "tool: unknown command \"twig\" for \"tool sub\"\nhint: see: tool sub --help\n"},
		"an argument too many":            {"sub leaf x", true, "tool: unknown command \"x\" for \"tool sub leaf\"\nhint: see: tool sub leaf --help\n"},
		"completion for no shell":         {"completion", true, "tool: which one? Give a subcommand\nhint: see: tool completion --help\n"},
		"a flag of the version too many":  {"version --colour", true, "tool: unknown flag: --colour\nhint: see: tool version --help\n"},
		"help for a command that is none": {"help nothing", true, "tool: unknown command \"nothing\" for \"tool\"\nhint: see: tool help --help\n"},
		"help for none of those below":    {"help sub twig", true, "tool: unknown command \"twig\" for \"tool sub\"\nhint: see: tool help --help\n"},
	} {
		p, root, _, stderr := newProgram(broken)
		_, err := p.Execute(t.Context(), root, strings.Fields(c.args))
		if command.IsUsage(err) != c.usage {
			t.Errorf("%s: got error %v, want that it means wrong usage: %v", name, err, c.usage)
		}
		if err != nil {
			p.Fail(err)
		}
		if got := stderr.String(); c.want != "" && got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestTheProgramAloneAndHelpShowTheStatusesLast(t *testing.T) {
	for _, args := range []string{"", "--help", "sub --help", "sub leaf --help", "help fail", "completion bash --help", "version -h"} {
		p, root, stdout, _ := newProgram(nil)
		if _, err := p.Execute(t.Context(), root, strings.Fields(args)); err != nil || !strings.HasSuffix(stdout.String(), statuses) {
			t.Errorf("tool %s: got error %v and\n%s, want help that ends with the exit statuses", args, err, stdout)
		}
	}
}

func TestVersionAndCompletionAreData(t *testing.T) {
	for args, want := range map[string]string{
		"version":         "tool ",
		"version --json":  `{"version":`,
		"completion bash": "# bash completion V2 for tool",
	} {
		p, root, stdout, stderr := newProgram(nil)
		if _, err := p.Execute(t.Context(), root, strings.Fields(args)); err != nil || !strings.HasPrefix(stdout.String(), want) || stderr.Len() > 0 {
			t.Errorf("tool %s: got error %v, %.60q and %q, want %q", args, err, stdout, stderr, want)
		}
	}
}

// A full disk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	for _, args := range []string{"", "--help", "help fail", "sub leaf --help", "version", "version --json", "completion bash"} {
		p, root := programTo(fullDisk{}, io.Discard, nil)
		if _, err := p.Execute(t.Context(), root, strings.Fields(args)); !errors.Is(err, syscall.ENOSPC) || command.IsUsage(err) {
			t.Errorf("tool %s: got error %v, want that the disk is full", args, err)
		}
	}
}

func TestErrorsAreToldOneByOneAndEscaped(t *testing.T) {
	hostile := errors.New("the server says \x1b[2J\ntool: all is well")
	hinted := command.Hinted(errors.Join(fmt.Errorf("first: %w", hostile), errors.New("second")), "do %s", "\x07")
	p, _, _, stderr := newProgram(nil)
	p.Fail(errors.Join(hinted, fmt.Errorf("%w and %w", fs.ErrExist, fs.ErrClosed)), "", "or that")
	want := `tool: first: the server says \x1b[2J\x0atool: all is well
tool: second
tool: file already exists and file already closed
hint: do \x07
hint: or that
`
	if got := stderr.String(); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	if err := command.Hinted(nil, "never"); err != nil {
		t.Errorf("a hint to no error: got %v, want none", err)
	}
}
