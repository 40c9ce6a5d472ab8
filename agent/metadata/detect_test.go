package metadata

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestDetect(t *testing.T) {
	for name, c := range map[string]struct {
		facts SMBIOS
		want  string
	}{
		"nothing known":        {SMBIOS{}, "fw_cfg nocloud-volume esp"},
		"QEMU with a serial":   {SMBIOS{Manufacturer: "QEMU", Serial: "ds=nocloud;s=http://192.0.2.1/"}, "fw_cfg nocloud-url nocloud-volume esp"},
		"serial without a URL": {SMBIOS{Serial: "ds=nocloud"}, "fw_cfg nocloud-volume esp"},
		"ordinary serial":      {SMBIOS{Serial: "VMware-42 1d"}, "fw_cfg nocloud-volume esp"},
		"EC2 Nitro":            {SMBIOS{Manufacturer: "Amazon EC2"}, "fw_cfg ec2 nocloud-volume esp"},
		"EC2 metal":            {SMBIOS{BIOSVendor: "Amazon EC2"}, "fw_cfg ec2 nocloud-volume esp"},
		"EC2 Xen":              {SMBIOS{Version: "4.11.amazon", UUID: "EC2E1916-9099-7CAF-FD21-012345ABCDEF"}, "fw_cfg ec2 nocloud-volume esp"},
		"EC2 Xen, swapped":     {SMBIOS{Version: "4.11.amazon", UUID: "45E12AEC-DCD1-B213-94ED-012345ABCDEF"}, "fw_cfg ec2 nocloud-volume esp"},
		"a UUID by chance":     {SMBIOS{Manufacturer: "QEMU", UUID: "ec2e1916-9099-7caf-fd21-012345abcdef"}, "fw_cfg nocloud-volume esp"},
	} {
		var got []string
		for _, k := range Detect(c.facts) {
			got = append(got, string(k))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestNothingFound(t *testing.T) {
	m := newMachine(t)
	m.disk("vda", isoHead("cidata"), nil) // the boot disk is not searched
	m.disk("vdb", make([]byte, 1<<16), nil)
	m.disk("loop0", isoHead("cidata"), nil)
	m.disk("sr0", nil, nil)
	m.write("/sys/block/sr1/size", []byte("0\n"))
	_, err := NewFetcher(Options{Root: m.root, Mounter: m.mounter, BootDisk: func() string { return "/dev/vda" }}).Fetch(t.Context())
	want := `cannot find a metadata source (tried: fw_cfg key "opt/stele/config"; NoCloud volume labelled "cidata" (searched sr0, vdb); ` +
		`file "/stele/config.yaml" (no EFI system partition)): not found`
	if !errors.Is(err, ErrNotFound) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestForced(t *testing.T) {
	m := newMachine(t)
	m.write("/sys/firmware/qemu_fw_cfg/by_name/opt/stele/config/raw", []byte("x"))
	r, err := NewFetcher(Options{Root: m.root, Platform: "none"}).Fetch(t.Context())
	if err != nil || len(r.UserData) != 0 || r.Platform != "none" {
		t.Errorf("none: %+v, %v", r, err)
	}
	if _, err := NewFetcher(Options{Root: m.root, Platform: "nocloud", Mounter: m.mounter}).Fetch(t.Context()); !errors.Is(err, ErrNotFound) {
		t.Errorf("nocloud took another source: %v", err)
	}
	_, err = NewFetcher(Options{Root: m.root, Platform: "azure"}).Fetch(t.Context())
	if err == nil || err.Error() != `cannot use platform "azure": unknown (known: ec2, metal, nocloud, none, qemu)` {
		t.Error(err)
	}
	for _, p := range Platforms {
		if _, ok := forced(p, SMBIOS{}); !ok || !IsPlatform(p) {
			t.Errorf("platform %q is listed, but cannot be forced", p)
		}
	}
}

func TestPartitionOfAnotherDisk(t *testing.T) {
	m := newMachine(t)
	m.disk("sdb", make([]byte, 512), nil)
	m.write("/sys/block/sdb/sdb1/partition", []byte("1\n"))
	m.write("/sys/block/sdb/queue/rotational", []byte("1\n"))
	m.write("/dev/sdb1", fatHead("CIDATA", ""))
	m.mounter.files["/dev/sdb1"] = map[string][]byte{"user-data": []byte("x")}
	r, err := NewFetcher(Options{Root: m.root, Mounter: m.mounter}).Fetch(t.Context())
	if err != nil || r.Origin != "NoCloud volume /dev/sdb1 (vfat)" {
		t.Errorf("%+v, %v", r, err)
	}
	if !slices.Equal(m.mounter.mounts, []string{"/dev/sdb1 vfat"}) {
		t.Errorf("mounts %v", m.mounter.mounts)
	}
}

func TestParseSeed(t *testing.T) {
	for serial, want := range map[string]seed{
		"ds=nocloud;s=http://192.0.2.1:8000/x/":             {base: "http://192.0.2.1:8000/x/"},
		"ds=nocloud-net;s=https://example.com/seed":         {base: "https://example.com/seed/"},
		"ds=nocloud;h=web-1;i=i-1;seedfrom=http://[::1]/a/": {base: "http://[::1]/a/", hostname: "web-1", instance: "i-1"},
	} {
		if got, err := parseSeed(serial); err != nil || got != want {
			t.Errorf("%s: %+v, %v", serial, got, err)
		}
	}
	for _, serial := range []string{"", "ds=nocloud", "ds=nocloud;s=ftp://example.com/", "ds=nocloud;s=http:///x", "ds=nocloud;s=/var/x",
		"ds=nocloud;s=http://user:secret@example.com/", "ds=nocloud;s=http://a b/"} {
		if got, err := parseSeed(serial); err == nil {
			t.Errorf("%s: %+v", serial, got)
		}
	}
}
