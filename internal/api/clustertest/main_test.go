package clustertest_test

import (
	"os"
	"testing"

	"zr/internal/api/clustertest"
)

func TestMain(m *testing.M) { os.Exit(clustertest.Main(m)) }
