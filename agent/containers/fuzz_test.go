package containers

import (
	"testing"
	"testing/fstest"

	"github.com/stele-os/stele/agent/plan"
)

// FuzzImage: whatever configuration and passwd an image brings, there is a specification or an error, and the root of the
// process is never more than asked for: a user that the image names by number is that user.
func FuzzImage(f *testing.F) {
	f.Add([]byte(`{"config":{"Entrypoint":["/a"],"Env":["A=b","A"],"User":"web"}}`), []byte("web:x:5:6::/:/bin/sh\n"))
	f.Add([]byte(`{"config":{"User":"4294967296:1","Cmd":[""]}}`), []byte("::::\n"))
	f.Add([]byte(`{"config":null}`), []byte{})
	f.Add([]byte(`[]`), []byte("\x00"))
	f.Fuzz(func(t *testing.T, config, passwd []byte) {
		image, err := decodeImageConfig("fuzz", config)
		if err != nil {
			return
		}
		u, err := resolveUser(fstest.MapFS{"etc/passwd": {Data: passwd}}, image.User, plan.Security{})
		if err != nil {
			return
		}
		if image.User == "1000" && u.UID != 1000 {
			t.Errorf("user 1000 became %d", u.UID)
		}
		spec, err := buildSpec(specification{Container: plan.Container{Name: "a"}}, image, u, around)
		if (spec == nil) == (err == nil) {
			t.Errorf("specification %v, error %v", spec, err)
		}
	})
}
