package store

import (
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A working day makes hundreds of agents of 30 MB: of each name the newest stay, and whatever a running build may hold.
const (
	keepNewest = 8
	keepUsed   = time.Hour
)

// prune removes old artifacts of one name. It is housekeeping: what cannot be removed stays.
func (s *Store) prune(name, current string) {
	dirs, err := filepath.Glob(s.path("artifacts", name+"-*"))
	if err != nil {
		return
	}
	used := map[string]time.Time{}
	dirs = slices.DeleteFunc(dirs, func(dir string) bool {
		info, err := os.Stat(dir)
		if err != nil || len(filepath.Base(dir)) != len(name)+1+32 {
			return true
		}
		used[dir] = info.ModTime()
		return dir == current
	})
	slices.SortFunc(dirs, func(a, b string) int { return used[b].Compare(used[a]) })
	for i, dir := range dirs {
		if i+1 >= keepNewest && time.Since(used[dir]) > keepUsed {
			_ = os.RemoveAll(dir)
		}
	}
}
