package ticket

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const key = "0123456789abcdef0123456789abcdef"

func TestATicketSaysWhoLogsIn(t *testing.T) {
	now := time.Now()
	text, err := Make(key, "ada", "operator", now)
	if err != nil {
		t.Fatal(err)
	}
	claim, err := Read(key, text, now.Add(Life-2*time.Second))
	if err != nil || claim.Name != "ada" || claim.Role != "operator" {
		t.Errorf("got %+v, %v", claim, err)
	}
	other, _ := Make(key, "ada", "operator", now)
	if other == text {
		t.Error("two tickets are the same")
	}
	if _, err := Read(key, text, now.Add(Life)); !errors.Is(err, ErrExpired) {
		t.Errorf("an old one: %v", err)
	}
}

func TestOnlyTheKeyMakesATicket(t *testing.T) {
	now := time.Now()
	text, _ := Make(key, "ada", "viewer", now)
	body, signature, _ := strings.Cut(text, ".")
	operator, _ := Make(strings.Repeat("x", 32), "ada", "operator", now)
	for _, forged := range []string{"", ".", body, body + ".", body + "x." + signature, text + "A", operator, "e30." + signature} {
		if claim, err := Read(key, forged, now); !errors.Is(err, ErrForged) {
			t.Errorf("%q: got %+v, %v", forged, claim, err)
		}
	}
	if _, err := Make("short", "ada", "viewer", now); err == nil {
		t.Error("a key that can be guessed is taken")
	}
	if _, err := Read("", text, now); !errors.Is(err, ErrForged) {
		t.Errorf("without a key: %v", err)
	}
}
