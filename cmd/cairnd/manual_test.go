package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cairnlog/cairn/ledger/identity"
	"github.com/cairnlog/cairn/ledger/local"
)

// TestManualHasEveryCommandAndFlag holds every subcommand and flag to
// cairnd(8).
func TestManualHasEveryCommandAndFlag(t *testing.T) {
	page := readPage(t, "../../doc/man/cairnd.8")
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		if c.Hidden {
			return
		}
		if c.Name() != "cairnd" && !strings.Contains(page, c.Name()) {
			t.Errorf("cairnd(8) does not mention the command %q", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(page, "Fl -"+f.Name) {
				t.Errorf("cairnd(8) does not mention the flag --%s of %q", f.Name, c.CommandPath())
			}
		})
		var help strings.Builder
		c.SetOut(&help)
		if err := c.Help(); err != nil || !strings.HasSuffix(help.String(), exitHelp) {
			t.Errorf("the help of %q does not end with the exit statuses: error %v", c.CommandPath(), err)
		}
		for _, sub := range c.Commands() {
			check(sub)
		}
	}
	check((&program{}).root())
}

// TestManualHasEverySetting holds every setting of cairn.toml to its page.
func TestManualHasEverySetting(t *testing.T) {
	page := readPage(t, "../../doc/man/cairn.toml.5")
	for _, config := range []any{
		local.Config{}, local.KeyState{}, Listen{},
		identity.Config{}, identity.CA{}, identity.CertificateGrant{}, identity.Issuer{}, identity.ClaimGrant{},
	} {
		typ := reflect.TypeOf(config)
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("toml"), ",")
			if name == "" {
				t.Errorf("%s.%s has no name in cairn.toml", typ, typ.Field(i).Name)
			}
			if !strings.Contains(page, "Cm "+name) && !strings.Contains(page, "Ss Table "+name) && !strings.Contains(page, "Ss Tables "+name) && !strings.Contains(page, ", "+name) {
				t.Errorf("cairn.toml(5) does not mention %q", name)
			}
		}
	}
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
