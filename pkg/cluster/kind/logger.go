package kind

import (
	"fmt"
	"strings"

	kindlog "sigs.k8s.io/kind/pkg/log"

	"zr/pkg/event"
)

// statusPrefix begins the line with which kind announces each of its actions.
const statusPrefix = " • "

// logger is the kind library's log. The actions that kind announces become
// progress; its hints to people at a terminal are dropped, and what went wrong
// is in the error that it returns.
type logger struct {
	sink     event.Sink
	onStatus func(status string) // may be nil
}

var _ kindlog.Logger = (*logger)(nil)

func (*logger) Warn(string)                            {}
func (*logger) Warnf(string, ...interface{})           {}
func (*logger) Error(string)                           {}
func (*logger) Errorf(string, ...interface{})          {}
func (l *logger) V(v kindlog.Level) kindlog.InfoLogger { return infoLogger{l, v == 0} }

type infoLogger struct {
	*logger
	enabled bool
}

func (l infoLogger) Enabled() bool { return l.enabled }

func (l infoLogger) Infof(format string, args ...interface{}) {
	if l.enabled {
		l.Info(fmt.Sprintf(format, args...))
	}
}

func (l infoLogger) Info(message string) {
	status, ok := strings.CutPrefix(message, statusPrefix)
	if !l.enabled || !ok {
		return
	}
	status = plain(status)
	progress(l.sink, "%s", strings.ToLower(status[:min(1, len(status))])+status[min(1, len(status)):])
	if l.onStatus != nil {
		l.onStatus(status)
	}
}

// plain removes kind's pictures and dots.
func plain(status string) string {
	ascii := strings.Map(func(r rune) rune {
		if r > 0x7e {
			return -1
		}
		return r
	}, status)
	return strings.TrimRight(strings.TrimSpace(ascii), " .")
}
