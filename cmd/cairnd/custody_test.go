package main

import (
	"path/filepath"
	"testing"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

func TestCustodiansAreNamed(t *testing.T) {
	a := newArchive(t)
	tokens := make(map[string]string)
	for _, name := range []string{"carla", "cato", "other"} {
		tokens[name] = filepath.Join(t.TempDir(), name)
		write(t, tokens[name], a.token(name, "custodian")+"\n")
	}
	as := func(name string) string { return " --url " + a.url + " --token-file " + tokens[name] }
	a.wants(a.run("", command.Misuse, "custody name carla"), "two identities")
	a.wants(a.run("", command.Misuse, "custody name --nobody carla cato"), "who?")
	a.wants(a.run("", command.Yes, "custody name cato carla"), "from now on the custodians are cato, carla")
	a.wants(a.run("", command.Yes, "custody set --custodians 2"), "from now on it takes two custodians")
	a.wants(a.run("", command.Yes, "custody"), "^two custodians, without grace; the custodians are carla, cato\n$")
	a.wants(a.run("", command.Yes, "custody --json"), `"custodians": 2,\s+"names": \[\s+"carla",\s+"cato"`)
	a.wants(a.run("", command.No, "custody name carla other"+as("other")), "not one of the custodians")
	a.index(a.run("", command.Yes, "custody name carla other"+as("carla")), `requested in entry (\d+)`)
}
