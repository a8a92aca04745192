package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/cairnlog/cairn/ledger/local"
)

func TestSettingsAreWithinTheirBounds(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                          {"", ""},
		"what is at its bounds":            {"heartbeat = \"1s\"\nkeep_checkpoint = \"24h\"\nwitness_timeout = \"100ms\"\nmax_payload = 15728639\nmax_batch = 1\nmax_queue = 1048576", ""},
		"a time that is a number":          {"data = \"d\"\nheartbeat = 5", "cairn.toml:2:13: heartbeat: cannot decode TOML integer; see cairn.toml(5)"},
		"a time without a unit":            {"heartbeat = \"5\"", "heartbeat: \"5\" is not a time from 1s to 24h0m0s, such as \"90s\""},
		"a time of a nanosecond":           {"heartbeat = \"1ns\"", "heartbeat: \"1ns\" is not a time from 1s"},
		"a time before now":                {"keep_checkpoint = \"-1m\"", "keep_checkpoint: \"-1m\" is not a time"},
		"a time that is too long":          {"witness_timeout = \"1h\"", "witness_timeout: \"1h\" is not a time from 100ms to 5m0s"},
		"more than the format can hold":    {"max_payload = 15728640", "max_payload: 15728640 is not from 1 to 15728639"},
		"a payload of less than nothing":   {"max_payload = -1", "max_payload: -1 is not from 1"},
		"a batch of less than nothing":     {"max_batch = -1", "max_batch: -1 is not from 1 to 65536"},
		"a queue that fills the memory":    {"max_queue = 10000000", "max_queue: 10000000 is not from 1 to 1048576"},
		"a number that is text":            {"max_queue = \"9\"", "cairn.toml:1:13: max_queue: "},
		"a setting twice":                  {"data = \"d\"\ndata = \"e\"", "cairn.toml:2:1: "},
		"a tree at no address":             {"tree = \"https://example.com\"", "tree: parse address"},
		"a certificate for the tree alone": {"tree = \"trillian://10.0.0.1:9/1\"\ntree_certificate = \"c\"", "belong together"},
		"an authority for no server":       {"tree_ca = \"c\"", "tree gives none"},
		"a place among the data":           {"[key_state]\nplaces = [\"k\", \"data/k\"]", "key_state: /data/k is in the data directory"},
		"a place twice":                    {"[key_state]\nplaces = [\"k\", \"./k\"]", "key_state: /k is named twice"},
		"an escrow in a place":             {"[key_state]\nplaces = [\"k\"]\nescrow_place = \"k\"\nescrow_recipients = [\"age1\"]", "key_state: /k is named twice"},
		"an escrow for nobody":             {"[key_state]\nescrow_place = \"e\"", "belong together"},
		"an escrow for a stranger":         {"[key_state]\nescrow_place = \"e\"\nescrow_recipients = [\"me\"]", "key_state.escrow_recipients: error at line 1: unknown recipient type: each is one of age, which begins with age1"},
		"a wrap that is none":              {"[key_state]\nwrap = \"rot13\"", "key_state.wrap: \"rot13\" is not"},
		"an index with a large cache":      {"[search]\noff = false\ncache = 1073741824", ""},
		"no index":                         {"[search]\noff = true", ""},
		"an index with no room to think":   {"[search]\ncache = 4096", "search.cache: 4096 bytes are not from 1048576 to 1073741824"},
		"an index that takes the memory":   {"[search]\ncache = 1073741825", "search.cache: 1073741825 bytes are not"},
		"a wrap at a key service":          {"[key_state]\nwrap = \"awskms://alias/k\"", ""},
	} {
		path := filepath.Join(t.TempDir(), local.ConfigFile)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		var config local.Config
		err := local.Decode(path, &config)
		if err == nil {
			err = config.Check()
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q", name, err, c.want)
		}
	}
}

func TestSettingsAreReadAsTheyWereWritten(t *testing.T) {
	text := "data = 'd'\ntree = 'trillian://10.0.0.1:9/1'\ntree_ca = 'ca.pem'\nheartbeat = '1m30s'\nmax_batch = 7\n"
	var c local.Config
	if err := toml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	if got, err := toml.Marshal(c); err != nil || string(got) != text {
		t.Errorf("got %q and error %v, want %q", got, err, text)
	}
}
