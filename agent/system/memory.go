package system

import (
	"bytes"
	"strconv"
)

// Memory is what /proc/meminfo says about the machine.
type Memory struct {
	TotalBytes     int64
	AvailableBytes int64
}

// DecodeMeminfo reads the content of /proc/meminfo (proc_meminfo(5)); lines it does not know are skipped.
func DecodeMeminfo(content []byte) Memory {
	return Memory{
		TotalBytes:     kibibytesOf(content, "MemTotal:") << 10,
		AvailableBytes: kibibytesOf(content, "MemAvailable:") << 10,
	}
}

// DecodeResident returns VmRSS of the content of /proc/<pid>/status, in bytes.
func DecodeResident(content []byte) int64 { return kibibytesOf(content, "VmRSS:") << 10 }

// kibibytesOf finds the line that begins with key. It returns 0 for a missing or absurd value.
func kibibytesOf(content []byte, key string) int64 {
	for line := range bytes.Lines(content) {
		rest, ok := bytes.CutPrefix(line, []byte(key))
		if !ok {
			continue
		}
		fields := bytes.Fields(rest)
		if len(fields) == 0 {
			return 0
		}
		n, err := strconv.ParseInt(string(fields[0]), 10, 53)
		if err != nil || n < 0 {
			return 0
		}
		return n
	}
	return 0
}
