package api

import (
	"fmt"
	"io"
	"log/slog"
)

// levels are the names that the log carries. slog's own differ: "WARN".
var levels = map[string]slog.Level{
	"debug":   slog.LevelDebug,
	"info":    slog.LevelInfo,
	"warning": slog.LevelWarn,
	"error":   slog.LevelError,
}

func parseLevel(name string) (slog.Level, error) {
	level, ok := levels[name]
	if !ok {
		return 0, fmt.Errorf("%q is not a level (debug, info, warning, error)", name)
	}
	return level, nil
}

// newLogger writes one JSON object a line: time, level, msg, attributes.
func newLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: nameLevel}))
}

func nameLevel(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 || a.Key != slog.LevelKey {
		return a
	}
	level, _ := a.Value.Any().(slog.Level)
	switch {
	case level < slog.LevelInfo:
		return slog.String(a.Key, "debug")
	case level < slog.LevelWarn:
		return slog.String(a.Key, "info")
	case level < slog.LevelError:
		return slog.String(a.Key, "warning")
	}
	return slog.String(a.Key, "error")
}
