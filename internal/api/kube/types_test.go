package kube

import (
	"encoding/json"
	"testing"
)

func TestSelector(t *testing.T) {
	labels := map[string]string{"app": "web", "tier": "front"}
	for _, c := range []struct {
		selector string
		want     bool
	}{
		{`{}`, false},
		{`{"matchLabels":{"app":"web"}}`, true},
		{`{"matchLabels":{"app":"web","tier":"back"}}`, false},
		{`{"matchLabels":{"app":"web","other":""}}`, false},
		{`{"matchExpressions":[{"key":"app","operator":"In","values":["api","web"]}]}`, true},
		{`{"matchExpressions":[{"key":"none","operator":"In","values":[""]}]}`, false},
		{`{"matchExpressions":[{"key":"app","operator":"NotIn","values":["web"]}]}`, false},
		{`{"matchExpressions":[{"key":"none","operator":"NotIn","values":["web"]}]}`, true},
		{`{"matchExpressions":[{"key":"tier","operator":"Exists"}]}`, true},
		{`{"matchExpressions":[{"key":"none","operator":"Exists"}]}`, false},
		{`{"matchExpressions":[{"key":"none","operator":"DoesNotExist"}]}`, true},
		{`{"matchExpressions":[{"key":"tier","operator":"Gt","values":["1"]}]}`, false},
		{`{"matchLabels":{"app":"web"},"matchExpressions":[{"key":"tier","operator":"DoesNotExist"}]}`, false},
	} {
		var s Selector
		if err := json.Unmarshal([]byte(c.selector), &s); err != nil {
			t.Fatal(err)
		}
		if got := s.Matches(labels); got != c.want {
			t.Errorf("%s: got %v", c.selector, got)
		}
	}
}
