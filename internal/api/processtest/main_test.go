package processtest_test

import (
	"os"
	"testing"

	"zr/internal/api/processtest"
)

func TestMain(m *testing.M) { os.Exit(processtest.Main(m)) }
