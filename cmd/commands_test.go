package cmd_test

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// quoted finds the name of a program, and the words behind it that may be
// those of a command.
var quoted = regexp.MustCompile(`(?:^|[^\w./-]|\./cmd/)((?:cairnd|cairn-witness|cairn) [a-z][a-z-]*(?: [a-z][a-z-]*\b)?)`)

// prose finds what is said about a program, and quotes no command of it.
var prose = regexp.MustCompile(`^\S+ (and|appends|commands|cosigns|is|links|makes|remembers|runs|this|uses)\b`)

// quotedCommands returns the commands that files below a path quote, each
// with one of the files. Tests may quote what does not exist.
func quotedCommands(t *testing.T, root string, files map[string]string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		text := slices.Contains([]string{".go", ".1", ".5", ".7", ".8", ".md", ".toml", ".service", ".yaml"}, filepath.Ext(path))
		if err != nil || e.IsDir() || !text || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range quoted.FindAllStringSubmatch(string(b), -1) {
			files[m[1]] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryQuotedCommandExists(t *testing.T) {
	files := make(map[string]string)
	for _, root := range []string{".", "../client", "../ledger", "../witness", "../doc", "../README.md", "../NEWS.md"} {
		quotedCommands(t, root, files)
	}
	checked := 0
	for _, command := range slices.Sorted(maps.Keys(files)) {
		if prose.MatchString(command) {
			continue
		}
		checked++
		if !commandExists(t, command) {
			t.Errorf("%s quotes %q, and there is no such command", files[command], command)
		}
	}
	if checked < 30 {
		t.Errorf("found %d commands that are quoted, want 30 and more", checked)
	}
}

// commandExists asks a program itself, by its help: of a command that only
// has others below it, each word must be the name of one.
func commandExists(t *testing.T, command string) bool {
	t.Helper()
	words := strings.Fields(command)
	help, err := exec.Command(filepath.Join(programs(t), words[0]), append(words[1:], "--help")...).CombinedOutput()
	if err != nil {
		return false
	}
	usage := regexp.MustCompile(`\nUsage:\n(?:  (.*) \[flags\]\n)?(?:  (.*) \[command\]\n)?`).FindStringSubmatch(string(help))
	if usage == nil {
		t.Fatalf("%s --help shows no usage:\n%s", command, help)
	}
	only := usage[2] != "" && (usage[1] == "" || usage[1] == usage[2])
	return !only || usage[2] == command
}

func TestCommandsThatThereAreNotAreFound(t *testing.T) {
	for command, want := range map[string]bool{
		"cairnd token issue": true, "cairnd token add": false, "cairnd token": true, "cairnd tokens": false,
		"cairn prove receipt": true, "cairn prove nothing": false, "cairn verify entry": true, "cairn nonsense": false,
		"cairn-witness log add": true, "cairn-witness log remove": true, "cairn-witness log drop": false,
	} {
		if got := commandExists(t, command); got != want {
			t.Errorf("%s: got that it exists: %v, want %v", command, got, want)
		}
	}
}
