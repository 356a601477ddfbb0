package usage

import (
	"fmt"
	"strconv"
	"strings"
)

// factors are those of the suffixes that quantities of the API have.
var factors = map[string]float64{
	"": 1, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
	"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
}

// Quantity reads one of the API, such as "12345n" or "64Mi".
func Quantity(text string) (float64, error) {
	digits := strings.TrimRight(text, "numkKMGTi")
	number, err := strconv.ParseFloat(digits, 64)
	factor, known := factors[text[len(digits):]]
	if err != nil || !known {
		return 0, fmt.Errorf("%q is no quantity", text)
	}
	return number * factor, nil
}
