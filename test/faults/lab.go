package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/site"
	"github.com/stele-os/stele/test/versions"
)

// APIPort is the default of spec.api.port.
const APIPort = 7835

// RepositoryAddress is where machines find the site's repository.
const RepositoryAddress = "10.0.2.100:80"

// RootSize is the room of a slot: the demo image fits, with a ballast of BallastBytes, and not with one of twice as much.
const (
	RootSize     = "64Mi"
	BallastBytes = 16 << 20
)

// Good is the version that machines go back to.
const Good = "1.0.0"

// Lab is a site and the versions it has built.
type Lab struct {
	*site.Site
	// Foreign is another operator's site: nothing of it is trusted by the versions of the first.
	Foreign *site.Site
	builder versions.Builder
	lock    sync.Mutex
	images  map[string]machine.Image
}

// NewLab makes a lab in dir, which it empties first. repository is the root of this source tree, with dir below it; the versions have
// the kernel and the architecture of image.
func NewLab(ctx context.Context, repository, dir string, image machine.Image) (*Lab, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	own, err := site.Open(ctx, filepath.Join(dir, "site"))
	if err != nil {
		return nil, err
	}
	foreign, err := site.Open(ctx, filepath.Join(dir, "foreign"))
	if err != nil {
		return nil, err
	}
	return &Lab{Site: own, Foreign: foreign, images: map[string]machine.Image{}, builder: versions.Builder{
		Repository: repository, Dir: dir, Like: image, UpdateRoot: own.UpdateRoot(),
	}}, nil
}

// Image builds a version, once.
func (l *Lab) Image(ctx context.Context, v versions.Version) (machine.Image, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if built, ok := l.images[v.Number]; ok {
		return built, nil
	}
	if v.Root == "" {
		v.Root = RootSize
	}
	built, err := l.builder.Build(ctx, v)
	if err == nil {
		l.images[v.Number] = built
	}
	return built, err
}

// PublishVersion builds a version and puts it into the repository.
func (l *Lab) PublishVersion(ctx context.Context, v versions.Version) (machine.Image, error) {
	built, err := l.Image(ctx, v)
	if err == nil {
		err = l.Publish(ctx, built, "")
	}
	return built, err
}

// PublishForeign builds a version that carries the foreign site's root of trust, and puts it into that one's repository.
func (l *Lab) PublishForeign(ctx context.Context, v versions.Version) error {
	b := l.builder
	b.Dir, b.UpdateRoot = filepath.Join(b.Dir, "of-foreign"), l.Foreign.UpdateRoot()
	v.Root = RootSize
	built, err := b.Build(ctx, v)
	if err != nil {
		return err
	}
	return l.Foreign.Publish(ctx, built, "")
}

// Gates are the terms of a probation in a document.
type Gates struct {
	Probation, Deadline int
	// Confirm: a version waits for a word, too.
	Confirm bool
}

// Document is one with the API, the repository and these gates; more are further lines of the spec.
func (l *Lab) Document(g Gates, more string) []byte {
	ca := strings.ReplaceAll(strings.TrimSpace(l.ClientCAs), "\n", "\n    ")
	return spec(fmt.Sprintf("api:\n  clientCAs: |\n    %s\nupdate: {repository: {url: \"http://%s\"}, probationSeconds: %d, deadlineSeconds: %d, requireConfirmation: %t}\n%s",
		ca, RepositoryAddress, g.Probation, g.Deadline, g.Confirm, more))
}

// spec writes a Machine document around the lines of its spec.
func spec(text string) []byte {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	return []byte("apiVersion: stele/v1alpha1\nkind: Machine\nspec:\n  " + strings.Join(lines, "\n  ") + "\n")
}

// container is the demo under a name and at a port, with further lines.
func container(name string, port int, env string, more ...string) string {
	if env != "" {
		env = ", {name: DEMO_AT_START, value: \"" + env + "\"}"
	}
	text := fmt.Sprintf(`
- name: %[1]s
  image: demo
  env: [{name: PORT, value: "%[2]d"}%[3]s]
  ports: [{containerPort: %[2]d}]
  readinessProbe: {httpGet: {path: /healthz, port: %[2]d}, periodSeconds: 1}`, name, port, env)
	for _, line := range more {
		text += "\n  " + line
	}
	return text
}
