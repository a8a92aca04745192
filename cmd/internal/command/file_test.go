package command_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// names returns the files below a directory.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, strings.TrimPrefix(path, dir+string(filepath.Separator)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWriteFileReplacesAWholeFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "new", "file")
	for _, content := range []string{"a long content", "short"} {
		if err := command.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := command.ReadFile(path, 100); err != nil || string(got) != content {
			t.Errorf("got %q and error %v, want %q", got, err, content)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("got mode %v and error %v, want that only its owner may read it", info.Mode(), err)
	}
	if err := command.WriteFile(filepath.Join(dir, "new"), nil, 0o600); err == nil {
		t.Error("a directory was replaced by a file")
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("got the files %q, want the one and nothing temporary", got)
	}
}

func TestPlaceFileGathersWhatIsNotWholeElsewhere(t *testing.T) {
	dir := t.TempDir()
	if err := command.PlaceFile(filepath.Join(dir, "partial"), filepath.Join(dir, "a", "b", "file"), []byte("x"), 0o644, false); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) != 1 || got[0] != filepath.Join("a", "b", "file") {
		t.Errorf("got the files %q, want a/b/file alone", got)
	}
}

func TestReadsAreBounded(t *testing.T) {
	if b, err := command.ReadAll(strings.NewReader("12345"), "it", 5); err != nil || string(b) != "12345" {
		t.Errorf("as much as there may be: got %q and error %v", b, err)
	}
	if _, err := command.ReadAll(strings.NewReader("123456"), "it", 5); err == nil || err.Error() != "it: larger than 5 bytes" {
		t.Errorf("a byte more: got error %v", err)
	}
	broken := errors.New("broken")
	if _, err := command.ReadAll(iotest.ErrReader(broken), "it", 5); !errors.Is(err, broken) || err.Error() != "it: broken" {
		t.Errorf("a reader that fails: got error %v", err)
	}
	if _, err := command.ReadFile(filepath.Join(t.TempDir(), "missing"), 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: got error %v", err)
	}
}

func TestPassphrase(t *testing.T) {
	missing := errors.New("give one")
	env := func(value string) func(string) string {
		return func(name string) string { return map[string]string{"CAIRN_PASSPHRASE": value}[name] }
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"good": "from a file\r\n", "empty": "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		file, env, want string
		wrong           string
	}{
		"from the environment":          {"", "from outside", "from outside", ""},
		"the file goes first":           {"good", "from outside", "from a file", ""},
		"neither":                       {"", "", "", "give one"},
		"an empty file":                 {"empty", "from outside", "", "it is empty"},
		"a file that there is not, too": {"missing", "from outside", "", "no such file"},
	} {
		file := c.file
		if file != "" {
			file = filepath.Join(dir, file)
		}
		got, err := command.Passphrase(file, env(c.env), missing)
		if got != c.want || (err != nil) != (c.wrong != "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: got %q and error %v, want %q and %q", name, got, err, c.want, c.wrong)
		}
	}
}
