package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/cairnlog/cairn/cmd/internal/command"
)

// A Config is witness.toml. Paths are relative to the witness's directory.
type Config struct {
	// Listen is the address on which the witness serves.
	Listen string `toml:"listen"`

	// Certificate and Key are files in PEM for TLS, read again when they
	// change. Without them the witness serves plain HTTP.
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`

	// SSHAgent is the socket of the ssh-agent that has those keys of
	// keys/witness.key which are no secrets, but lines "ssh-agent" with a
	// public key. Default: that of SSH_AUTH_SOCK.
	SSHAgent string `toml:"ssh_agent"`

	// Lists are further lists of logs in the format logs/v0, beside the file
	// "logs" that "log add" writes. All are read again when they change.
	Lists []string `toml:"lists"`
}

const defaultListen = "127.0.0.1:7380"

// The files in a witness's directory.
const (
	configFile    = "witness.toml"
	keyFile       = "keys/witness.key"
	policyFile    = "policy"
	logsFile      = "logs"
	dataDir       = "data"
	registersName = "cosigned"
)

// sampleConfig is the configuration that init writes, with the address to
// listen on in place of %q and the setting of the ssh-agent in place of %s.
const sampleConfig = `# Configuration of a Cairn witness, see cairn-witness(8). Paths are relative to
# this file's directory.

# The address to listen on. Anybody may be let in: requests need no secret, and
# the witness serves nothing that is not public.
listen = %q

# Files in PEM for TLS, read again when they change. Without them the witness
# serves plain HTTP.
#certificate = "/etc/letsencrypt/live/witness.example.org/fullchain.pem"
#key = "/etc/letsencrypt/live/witness.example.org/privkey.pem"

# Socket of the ssh-agent that has the Ed25519 key, where keys/witness.key says
# that one has it. Default: what SSH_AUTH_SOCK says.
%s

# Further lists of logs, such as witness-network.org publishes, beside the file
# "logs" that "cairn-witness log add" writes. All are read again when they change.
#lists = ["lists/staging"]
`

// path returns where a file of the witness lies.
func (p *program) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.dir, filepath.FromSlash(name))
}

// config reads the configuration of the witness. What is wrong in it is wrong
// usage, and the error names the line.
func (p *program) config() (Config, error) {
	path := p.path(configFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	c := Config{Listen: defaultListen}
	if err := decode(data, &c); err != nil {
		return Config{}, command.Usage("%s:%w", path, err)
	}
	if (c.Certificate == "") != (c.Key == "") {
		return Config{}, command.Usage("%s: certificate and key belong together", path)
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return Config{}, command.Usage("%s: listen: %w", path, err)
	}
	return c, nil
}

// decode reads a configuration strictly.
func decode(data []byte, c *Config) error {
	err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(c)
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		line, _ := strict.Errors[0].Position()
		return fmt.Errorf("%d: there is no setting %q", line, strings.Join(strict.Errors[0].Key(), "."))
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		line, _ := bad.Position()
		return fmt.Errorf("%d: %s", line, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	return err
}
