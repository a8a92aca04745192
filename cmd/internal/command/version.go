package command

import (
	"encoding/json"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// A version says which program this is.
type version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source, where it was built from a checkout
	Modified bool   `json:"modified,omitempty"` // the source differs from it
	Go       string `json:"go"`
}

// thisVersion returns what the linker recorded.
func thisVersion() version {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version{Version: "unknown"}
	}
	v := version{Version: info.Main.Version, Go: info.GoVersion}
	if v.Version == "" {
		v.Version = "(devel)"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func versionCommand(name string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "version",
		Short:   "Say which version this is",
		Long:    fmt.Sprintf("version prints the version of %s and of Go; with --json also the revision that it was built from.", name),
		Example: fmt.Sprintf("  %[1]s version\n  %[1]s version --json", name),
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			v := thisVersion()
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(v)
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "%s %s %s\n", name, v.Version, v.Go)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
