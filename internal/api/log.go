package api

import (
	"io"
	"log/slog"
)

// newLogger writes one JSON object a line: time, level, msg, attributes. Its levels are
// called as in LOG_LEVEL: slog has "WARN".
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
