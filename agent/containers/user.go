package containers

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	mobyuser "github.com/moby/sys/user"

	"github.com/stele-os/stele/agent/plan"
)

// user is who a container's first process runs as.
type user struct {
	UID, GID   uint32
	Additional []uint32
	Home       string
}

// resolveUser turns the image's "user[:group]" into numbers with the image's own /etc/passwd and /etc/group, as image-spec config.md wants;
// numbers of the document win. A link is not followed, and root must refuse one that leads out of the image on the way there (os.Root does).
func resolveUser(root fs.FS, imageUser string, s plan.Security) (user, error) {
	spec := imageUser
	if s.User != nil {
		spec = strconv.FormatInt(*s.User, 10)
	}
	passwd, group := readRegular(root, "etc/passwd"), readRegular(root, "etc/group")
	u, err := mobyuser.GetExecUser(spec, &mobyuser.ExecUser{Home: "/"}, bytes.NewReader(passwd), bytes.NewReader(group))
	if err != nil {
		return user{}, fmt.Errorf("cannot find user %q of the image: %w", spec, err)
	}
	out := user{UID: uint32(u.Uid), GID: uint32(u.Gid), Home: u.Home} //nolint:gosec // GetExecUser checks the range
	for _, g := range u.Sgids {
		out.Additional = append(out.Additional, uint32(g)) //nolint:gosec // likewise
	}
	if s.Group != nil {
		out.GID = uint32(*s.Group) //nolint:gosec // validated
	}
	return out, nil
}

// maxUsersBytes bounds what an image can make PID 1 read; a larger file counts as missing.
const maxUsersBytes = 1 << 20

func readRegular(root fs.FS, name string) []byte {
	info, err := fs.Lstat(root, name)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	f, err := root.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxUsersBytes+1))
	if err != nil || len(data) > maxUsersBytes {
		return nil
	}
	return data
}
