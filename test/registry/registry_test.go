package registry

import (
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestPushedImageCanBePulledByDigest(t *testing.T) {
	r := Start(t)
	image, err := BinaryImage("amd64", []byte("\x7fELF"))
	if err != nil {
		t.Fatal(err)
	}
	digest := r.Push(t, "demo:1", image)
	ref, err := name.NewDigest(r.Address()+"/demo@"+digest, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	if layers, err := pulled.Layers(); err != nil || len(layers) != 1 {
		t.Errorf("%d layers, %v", len(layers), err)
	}
	config, err := pulled.ConfigFile()
	if err != nil || !slices.Equal(config.Config.Entrypoint, []string{"/program"}) {
		t.Errorf("config %+v, %v", config, err)
	}
	if !slices.Contains(r.Requests(), "GET /v2/demo/manifests/"+digest) {
		t.Errorf("requests: %q", r.Requests())
	}
}

func TestSameBinarySameDigest(t *testing.T) {
	var digests []string
	for range 2 {
		image, err := BinaryImage("amd64", []byte("program"))
		if err != nil {
			t.Fatal(err)
		}
		digest, err := image.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest.String())
	}
	if digests[0] != digests[1] {
		t.Errorf("digests differ: %q", digests)
	}
}
