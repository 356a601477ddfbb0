package environments_test

import (
	"os"
	"testing"

	"zr/internal/api/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
