package storage

import "fmt"

// action is what to do with the partition for /var.
type action string

const (
	actionMount    action = "mount"
	actionRecreate action = "recreate" // write the template, then mount
	actionRefuse   action = "refuse"   // leave it as it is; /var in memory
)

// decision is an action with its reason, for the console.
type decision struct {
	action action
	reason string
}

// decide says what to do with a partition. reset: an admin asked for an empty /var. mountError is nil before the first attempt to mount; after a
// failed one it is asked again. Without reset it recreates only where nothing of value can be lost.
func decide(o observation, reset bool, mountError error) decision {
	switch {
	case o.unreadable != nil:
		return decision{actionRefuse, o.unreadable.Error()}
	case o.writing:
		return decision{actionRecreate, "it was being made when the power went"}
	case reset:
		return decision{actionRecreate, "a reset was asked for"}
	case o.superblock == nil && o.blank:
		return decision{actionRecreate, "the partition is empty"}
	case o.superblock == nil:
		return decision{actionRefuse, "the partition holds no file system, but data: it is left as it is"}
	case mountError == nil:
		return decision{actionMount, ""}
	case !o.superblock.mounted:
		return decision{actionRecreate, fmt.Sprintf("its file system is damaged (%v) and was never used", mountError)}
	}
	return decision{actionRefuse, fmt.Sprintf("its file system is damaged (%v) and holds data: it is left as it is", mountError)}
}
