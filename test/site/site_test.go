package site

import (
	"strings"
	"testing"
)

// A site is found again as it was: the same CA, the same root of trust.
func TestOpenTwice(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), dir)
	if err != nil || again.ClientCAs != first.ClientCAs || !strings.Contains(first.ClientCAs, "BEGIN CERTIFICATE") {
		t.Errorf("the CA changed: %v", err)
	}
	if _, err := again.Info("1.0.0"); err == nil {
		t.Error("an empty repository has a version")
	}
	if _, err := again.Client("web-1", "127.0.0.1:1", "SHA256:a", "root"); err == nil {
		t.Error("there is no role root")
	}
}
