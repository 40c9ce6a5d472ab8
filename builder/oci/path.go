package oci

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

func below(name, dir string) bool {
	if dir == "." {
		return name != "."
	}
	return strings.HasPrefix(name, dir+"/")
}

// cleanName makes an archive's name relative to the root. A name that goes up is refused, whether it would leave the root or not.
func cleanName(name string) (string, error) {
	if slices.Contains(strings.Split(name, "/"), "..") {
		return "", errors.New(`the path holds ".."`)
	}
	if strings.ContainsRune(name, 0) {
		return "", errors.New("the path holds a zero byte")
	}
	return strings.TrimPrefix(path.Clean("/"+name), "/"), nil
}

// resolve follows symbolic links of a directory's path, inside the image's root ("a -> /b" means the image's own /b).
func (f *flattened) resolve(dir string) (string, error) {
	done, links := ".", 0
	todo := strings.Split(dir, "/")
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			done = path.Dir(done)
			continue
		}
		next := path.Join(done, part)
		e := f.files[next]
		if e == nil || e.mode&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", errors.New("its path goes through too many symbolic links")
		}
		if strings.HasPrefix(e.target, "/") {
			done = "."
		}
		todo = append(strings.Split(e.target, "/"), todo...)
	}
	return done, nil
}
