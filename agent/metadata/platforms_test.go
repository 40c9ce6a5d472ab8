package metadata

import (
	"net/http"
	"net/http/httptest"

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
