package command

import "log/slog"

// Logger returns a logger to the standard error, for programs that serve. An
// error means that there is no such format: it is text or json.
func (p *Program) Logger(format string) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(p.Stderr, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(p.Stderr, nil)), nil
	}
	return nil, Usage("there is no log format %q: choose text or json", format)
}
