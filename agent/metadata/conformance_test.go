package metadata

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// fetch sets a machine up and fetches once, by force and by detection, which must agree.
func (p platform) fetch(t *testing.T, ctx context.Context, c content, is condition) (Result, error) {
	t.Helper()
	m := newMachine(t)
	p.setUp(m, c, is)
	run := func(platform string) (Result, error) {
		return NewFetcher(Options{
			Platform: platform, Root: m.root, Mounter: m.mounter, EC2URL: readTestURL(m),
			BootDisk: func() string { return "/dev/vda" },
			ESP:      func() string { return "/dev/vda1" },
		}).Fetch(ctx)
	}
	detected, detectedErr := run("")
	result, err := run(p.forced)
	if is == healthy && c.userData != nil && ((err == nil) != (detectedErr == nil) || result.Origin != detected.Origin) {
		t.Errorf("forced: %+v, %v\ndetected: %+v, %v", result.Origin, err, detected.Origin, detectedErr)
	}
	if len(m.mounter.mounted) != 0 {
		t.Errorf("left mounted: %v", m.mounter.mounted)
	}
	return result, err
}

func readTestURL(m *machine) string {
	b, err := readFile(m.root+"/sys/class/dmi/id/test_ec2_url", 100)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// TestConformance holds every source to the same contract.
func TestConformance(t *testing.T) {
	for _, p := range platforms {
		t.Run(p.origin, func(t *testing.T) {
			t.Run("document arrives byte for byte", p.testExact)
			t.Run("names", p.testNames)
			t.Run("size", p.testSize)
			t.Run("no document", p.testNoDocument)
			t.Run("conditions", p.testConditions)
			t.Run("cancelled", func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if _, err := p.fetch(t, ctx, content{userData: []byte("x")}, healthy); !errors.Is(err, context.Canceled) {
					t.Errorf("error %v, want context.Canceled", err)
				}
			})
		})
	}
}

func (p platform) testExact(t *testing.T) {
	for name, document := range map[string][]byte{
		"plain":               []byte("apiVersion: stele/v1alpha1\nkind: Machine\n"),
		"empty":               {},
		"no final newline":    []byte("a: b"),
		"carriage returns":    []byte("a: b\r\n\r\n"),
		"leading white space": []byte("\n\n  \ta: b\n \n"),
		"not text":            {0, 0xff, 0xfe, '\n', 0, 0x1f, 0x8b},
	} {
		r, err := p.fetch(t, t.Context(), content{userData: document}, healthy)
		if err != nil || !bytes.Equal(r.UserData, document) {
			t.Errorf("%s: got %q, %v", name, r.UserData, err)
		}
		if r.Platform != p.name || !strings.Contains(r.Origin, p.origin) {
			t.Errorf("%s: platform %q, origin %q", name, r.Platform, r.Origin)
		}
	}
}

func (p platform) testNames(t *testing.T) {
	r, err := p.fetch(t, t.Context(), content{userData: []byte("x"), hostname: "web-1.example.com", instance: "i-0123456789abcdef0"}, healthy)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[bool]string{true: "web-1.example.com"}[p.hostname]; r.Hostname != want {
		t.Errorf("hostname %q, want %q", r.Hostname, want)
	}
	if want := map[bool]string{true: "i-0123456789abcdef0"}[p.instance]; r.InstanceID != want {
		t.Errorf("instance id %q, want %q", r.InstanceID, want)
	}
}

func (p platform) testSize(t *testing.T) {
	limit := bytes.Repeat([]byte("#"), MaxDocumentBytes)
	if r, err := p.fetch(t, t.Context(), content{userData: limit}, healthy); err != nil || len(r.UserData) != MaxDocumentBytes {
		t.Errorf("at the limit: %d bytes, %v", len(r.UserData), err)
	}
	_, err := p.fetch(t, t.Context(), content{userData: append(limit, '#')}, healthy)
	if err == nil || !strings.Contains(err.Error(), "larger than the limit of 1048576 bytes") || errors.Is(err, ErrNotFound) {
		t.Errorf("above the limit: %v", err)
	}
}

func (p platform) testNoDocument(t *testing.T) {
	r, err := p.fetch(t, t.Context(), content{}, healthy)
	if p.absentIsEmpty && (err != nil || len(r.UserData) != 0) {
		t.Errorf("got %q, %v; want an empty document", r.UserData, err)
	}
	if !p.absentIsEmpty && err == nil {
		t.Errorf("got %q, want an error", r.UserData)
	}
}

func (p platform) testConditions(t *testing.T) {
	for _, is := range p.conditions {
		ctx := t.Context()
		if is == slow {
			short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			ctx = short
		}
		r, err := p.fetch(t, ctx, content{userData: []byte("x")}, is)
		if err == nil {
			t.Errorf("%s: got %+v, want an error", is, r)
			continue
		}
		if errors.Is(err, ErrNotFound) != (is == missing) {
			t.Errorf("%s: ErrNotFound is %v: %v", is, errors.Is(err, ErrNotFound), err)
		}
		if is == slow && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("slow: %v", err)
		}
	}
}
