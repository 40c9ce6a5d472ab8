package system

import (
	"bytes"
	"math"
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

// minFreeBelow is the size from which on the kernel's own reserve is left alone.
const minFreeBelow = 4 << 30

// MinFree is the kernel's reserve of free memory for a small machine, by the kernel's own formula (mm/page_alloc.c,
// calculate_min_free_kbytes). The thread that makes huge pages raises the reserve to as much as 5 % of the memory when it starts, which
// on a machine of 1 GiB takes 40 MB from the containers. It returns false for a machine that is not small.
func MinFree(memoryBytes int64) (Parameter, bool) {
	if memoryBytes <= 0 || memoryBytes >= minFreeBelow {
		return Parameter{}, false
	}
	kibibytes := max(128, int64(math.Sqrt(float64(memoryBytes>>10*16))))
	return Parameter{"vm.min_free_kbytes", strconv.FormatInt(kibibytes, 10), "as much as without huge pages"}, true
}
