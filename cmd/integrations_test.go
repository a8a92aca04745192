package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/cairnlog/cairn/client"
)

const (
	integrations     = "../doc/integrations"
	integrationsPage = "../doc/man/cairn-integrations.7"
)

func TestEveryAlertSaysWhatToDo(t *testing.T) {
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert       string
				Expr        string
				Annotations struct{ Summary string }
				Labels      struct{ Severity string }
			}
		}
	}
	if err := yaml.Unmarshal([]byte(readDoc(t, filepath.Join(integrations, "prometheus/cairn.rules.yaml"))), &rules); err != nil {
		t.Fatal(err)
	}
	var alerts []string
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			alerts = append(alerts, r.Alert)
			if r.Expr == "" || r.Annotations.Summary == "" || r.Labels.Severity == "" {
				t.Errorf("alert %q lacks an expression, a summary or a severity", r.Alert)
			}
		}
	}
	var described []string
	for _, m := range regexp.MustCompile(`(?m)^\.It Sy (Cairn\w+)$`).FindAllStringSubmatch(readDoc(t, integrationsPage), -1) {
		described = append(described, m[1])
	}
	if slices.Sort(alerts); len(alerts) == 0 || !slices.Equal(alerts, slices.Sorted(slices.Values(described))) {
		t.Errorf("cairn-integrations(7) says what to do about %q, want %q", described, alerts)
	}
}

func TestFilesToCopyParse(t *testing.T) {
	page := readDoc(t, integrationsPage)
	for _, path := range integrationFiles(t) {
		text := []byte(readDoc(t, path))
		var err error
		switch filepath.Ext(path) {
		case ".json":
			err = json.Unmarshal(text, new(any))
		case ".yaml", ".yml":
			d := yaml.NewDecoder(bytes.NewReader(text))
			for err == nil {
				err = d.Decode(new(any))
			}
			if errors.Is(err, io.EOF) {
				err = nil
			}
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		name, err := filepath.Rel(integrations, path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(page, ".It Pa "+filepath.ToSlash(name)+"\n") {
			t.Errorf("cairn-integrations(7) does not list %s", name)
		}
	}
}

func TestLogShippersAskForWhatTheServerTakes(t *testing.T) {
	requests := 0
	for _, path := range integrationFiles(t) {
		for _, m := range regexp.MustCompile(`/?v1/streams/[^\s"]+`).FindAllString(readDoc(t, path), -1) {
			requests++
			u, err := url.Parse(m)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			if !regexp.MustCompile(`^/?v1/streams/[a-z0-9._-]+/entries$`).MatchString(u.Path) {
				t.Errorf("%s: there is no path %s", path, u.Path)
			}
			for name, values := range u.Query() {
				checkParameter(t, path, name, values[0])
			}
		}
	}
	if requests < 6 {
		t.Errorf("found %d requests in the files to copy, want one in each of the log shippers'", requests)
	}
}

func checkParameter(t *testing.T, path, name, value string) {
	t.Helper()
	switch name {
	case "idempotency-field":
		if _, err := client.ParseKeyFields(value); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	case "wait":
		if !client.State(value).Reached(client.Sequenced) {
			t.Errorf("%s: there is no state %q to wait for", path, value)
		}
	default:
		t.Errorf("%s: there is no parameter %q", path, name)
	}
}

func TestUnitsGiveFlagsThatThereAre(t *testing.T) {
	units, err := filepath.Glob(filepath.Join(integrations, "systemd/*.service"))
	if err != nil || len(units) == 0 {
		t.Fatalf("%d units, %v", len(units), err)
	}
	for _, path := range units {
		starts := regexp.MustCompile(`(?m)^#?ExecStart=\S+/(\S+) (.*)$`).FindAllStringSubmatch(readDoc(t, path), -1)
		if len(starts) == 0 {
			t.Errorf("%s starts nothing", path)
		}
		for _, start := range starts {
			program := filepath.Join("..", "cmd", start[1])
			for _, word := range strings.Fields(start[2]) {
				if flag, ok := strings.CutPrefix(word, "--"); ok && !sourceTexts(t, program)[flag] {
					t.Errorf("%s: %s has no flag --%s", path, start[1], flag)
				}
			}
		}
	}
}

func integrationFiles(t *testing.T) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(integrations, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files to copy, %v", len(paths), err)
	}
	return paths
}

func readDoc(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
