package logstore

import (
	"reflect"
	"testing"
)

func TestLiterals(t *testing.T) {
	for expression, want := range map[string][][]string{
		`timeout`:                         {{"timeout"}},
		`(?i)Timeout after \d+ms`:         {{"TIMEOUT AFTER "}},
		`error.*(timeout|refused)`:        {{"error"}},
		`(timeout|refused)\d`:             {{"timeout"}, {"refused"}},
		`(abcd|x)`:                        nil,
		`\d{3}`:                           nil,
		`(connection )+lost`:              {{"connection ", "lost"}},
		`(connection )?lost`:              {{"lost"}},
		`a.b.c`:                           nil,
		`größe: 10`:                       {{"e: 10"}},
		`^panic: (runtime|main)`:          {{"panic: "}},
		`(`:                               nil,
		`(?:aaa|bbb|ccc|ddd|eee|fff|ggg)`: {{"aaa"}, {"bbb"}, {"ccc"}, {"ddd"}, {"eee"}, {"fff"}, {"ggg"}},
	} {
		if got := literals(expression); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", expression, got, want)
		}
	}
}
