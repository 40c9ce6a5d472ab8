package system

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sameCrashSeconds bounds how far the parts of one crash may lie apart: each has the time at which it was written, and firmware is slow.
const sameCrashSeconds = 60

// joinCrashes puts parts together, and the newest crash first. The kernel counts its dumps from 1 in each boot, and writes part 1 first: a first part
// whose count has not grown belongs to another boot. Of one boot only the last dump is kept, since a panic repeats the oops that led to it.
func joinCrashes(parts []crashPart) []Crash {
	slices.SortFunc(parts, func(a, b crashPart) int {
		return cmp.Or(cmp.Compare(a.seconds, b.seconds), cmp.Compare(a.count, b.count), cmp.Compare(a.part, b.part))
	})
	var crashes []Crash
	var dump []crashPart // of one count
	for i, p := range parts {
		if i > 0 && (p.count != parts[i-1].count || anotherBoot(parts[i-1], p)) {
			if anotherBoot(parts[i-1], p) {
				crashes = append(crashes, joinDump(dump))
			}
			dump = nil
		}
		dump = append(dump, p)
	}
	if dump != nil {
		crashes = append(crashes, joinDump(dump))
	}
	slices.Reverse(crashes)
	return crashes
}

func anotherBoot(before, p crashPart) bool {
	return p.part <= before.part && p.count <= before.count || p.seconds-before.seconds > sameCrashSeconds
}

// joinDump puts the highest part, which is the oldest text, first.
func joinDump(parts []crashPart) Crash {
	crash := Crash{Time: time.Unix(parts[0].seconds, 0).UTC()}
	slices.SortFunc(parts, func(a, b crashPart) int { return b.part - a.part })
	var text strings.Builder
	for _, p := range parts {
		text.WriteString(readable(p.text))
	}
	crash.Text = text.String()
	if len(crash.Text) > maxCrashBytes {
		crash.Text = crash.Text[len(crash.Text)-maxCrashBytes:]
	}
	return crash
}

// readable leaves out a part's own heading ("Panic#1 Part2", fs/pstore/platform.c, pstore_dump) and the level before each line ("<4>").
func readable(text string) string {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		if lines.Len() == 0 && strings.Contains(line, "#") && strings.Contains(line, " Part") {
			continue
		}
		lines.WriteString(withoutLevel(line))
	}
	if lines.Len() > 0 && !strings.HasSuffix(lines.String(), "\n") {
		lines.WriteByte('\n')
	}
	return lines.String()
}

func withoutLevel(line string) string {
	level, rest, ok := strings.Cut(line, ">")
	digits, begun := strings.CutPrefix(level, "<")
	if _, err := strconv.ParseUint(digits, 10, 8); !ok || !begun || err != nil {
		return line
	}
	return rest
}
