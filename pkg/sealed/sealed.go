package sealed

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"zr/pkg/bounded"
	"zr/pkg/fault"
)

// limit is for what a sealed file has: more than what is in it.
const limit = 2 * bounded.Text

// Read returns the bytes of a sealed file.
func Read(file string) ([]byte, error) { return bounded.ReadFile(file, limit) }

// Open returns what is in the sealed file at path, whose bytes are data. name is what
// errors call it. Their exit code is that of a configuration: nothing was touched yet.
func Open(ctx context.Context, path, name string, data []byte) (text []byte, err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if strings.Contains(filepath.Base(path), ".sops.") {
		text, err = openSops(ctx, path)
	} else {
		text, err = openAge(data)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("opening %s: %w", name, context.Cause(ctx))
	}
	if err != nil {
		return nil, fault.WithCode(fmt.Errorf("opening %s: %w", name, err), fault.Usage, fault.HintOf(err))
	}
	return text, nil
}
