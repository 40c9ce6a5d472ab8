package metadata

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/test/imds"
)

// content is what a platform holds for the machine.
type content struct {
	userData []byte // nil: the platform has no document
	hostname string
	instance string
}

// condition is a way in which a platform can be.
type condition string

const (
	healthy     condition = "healthy"
	missing     condition = "missing"     // the source does not exist on this machine
	unreachable condition = "unreachable" // it exists and fails
	slow        condition = "slow"        // it accepts, then says nothing
)

// platform is one row of the conformance test. A further cloud adds a row.
type platform struct {
	name   string
	origin string // must occur in Result.Origin
	// forced is the value of stele.platform=.
	forced string
	// hostname and instance tell whether the platform has these.
	hostname, instance bool
	// absentIsEmpty: a machine without a document is normal there, and yields an empty one.
	absentIsEmpty bool
	conditions    []condition
	setUp         func(m *machine, c content, is condition)
}

// serve answers by h, or never, or not at all; it returns the base URL.
func (m *machine) serve(h http.Handler, is condition) string {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if is == slow {
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return
		}
		h.ServeHTTP(w, r)
	}))
	m.t.Cleanup(func() { close(release); s.Close() })
	if is == unreachable {
		s.Close()
	}
	return s.URL
}

func noCloudDisk(head []byte) func(*machine, content, condition) {
	return func(m *machine, c content, is condition) {
		if is == missing {
			m.disk("vdb", make([]byte, 64<<10), nil)
			return
		}
		m.mounter.broken = is == unreachable
		files := map[string][]byte{"meta-data": imds.NoCloud{InstanceID: c.instance, Hostname: c.hostname}.Meta()}
		if c.userData != nil {
			files["user-data"] = c.userData
		}
		m.disk("vdb", head, files)
	}
}

var platforms = []platform{
	{
		name: "qemu", origin: "fw_cfg opt/stele/config", forced: "qemu", hostname: true,
		conditions: []condition{missing},
		setUp: func(m *machine, c content, is condition) {
			if is == missing || c.userData == nil {
				return
			}
			m.write("/sys/firmware/qemu_fw_cfg/by_name/opt/stele/config/raw", c.userData)
			if c.hostname != "" {
				m.write("/sys/firmware/qemu_fw_cfg/by_name/opt/stele/hostname/raw", []byte(c.hostname))
			}
		},
	},
	{
		name: "nocloud", origin: "/dev/vdb (iso9660)", forced: "nocloud", hostname: true, instance: true,
		conditions: []condition{missing, unreachable},
		setUp:      noCloudDisk(isoHead("cidata")),
	},
	{
		name: "nocloud", origin: "/dev/vdb (vfat)", forced: "nocloud", hostname: true, instance: true,
		conditions: []condition{missing, unreachable},
		setUp:      noCloudDisk(fatHead("NO NAME", "CIDATA")),
	},
	{
		name: "nocloud", origin: "NoCloud http://", forced: "nocloud", hostname: true, instance: true,
		conditions: []condition{unreachable, slow},
		setUp: func(m *machine, c content, is condition) {
			h := imds.NoCloud{UserData: c.userData, Hostname: c.hostname, InstanceID: c.instance}
			m.dmi("product_serial", "ds=nocloud;s="+m.serve(http.StripPrefix("/seed", h), is)+"/seed/")
		},
	},
	{
		name: "ec2", origin: "EC2 instance metadata service", forced: "ec2", hostname: true, instance: true, absentIsEmpty: true,
		conditions: []condition{unreachable, slow},
		setUp: func(m *machine, c content, is condition) {
			m.dmi("sys_vendor", "Amazon EC2")
			h := &imds.EC2{UserData: c.userData, Hostname: c.hostname, InstanceID: c.instance}
			m.dmi("test_ec2_url", m.serve(h, is))
		},
	},
	{
		name: "metal", origin: "file /stele/config.yaml on /dev/vda1", forced: "metal",
		conditions: []condition{missing, unreachable},
		setUp: func(m *machine, c content, is condition) {
			files := map[string][]byte{"EFI/BOOT/BOOTX64.EFI": []byte("MZ")}
			if is != missing && c.userData != nil {
				files["stele/config.yaml"] = c.userData
			}
			m.mounter.broken = is == unreachable
			m.disk("vda", nil, nil)
			m.mounter.files["/dev/vda1"] = files
		},
	},
}

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
