package builder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder/artifact"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/builder/resolve"
	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/internal/hint"
)

// Options are what the command line says.
type Options struct {
	// Definition is the path of the image definition.
	Definition string
	// Version instead of the definition's; empty: the definition's.
	Version string
	// Lock is the path of the lock file; empty: lock.yaml beside the definition, else beside its base.
	Lock string
	// Arch is the architecture to build for.
	Arch definition.Arch
	// Output is the directory for the image's files.
	Output string
	// StoreDir is the build cache's directory.
	StoreDir string
	// Mirror overrides the machine's apt configuration.
	Mirror string
	// Progress receives one line a step; Terminal tells that it is one, where lines can be rewritten.
	Progress io.Writer
	Terminal bool
	// Explain adds digests to each step.
	Explain bool
	// SecureBoot signs what firmware starts.
	SecureBoot SecureBoot
	// CheckDocument judges the definition's Machine document by the agent's own code, which this package may not import.
	CheckDocument func(file string, text []byte, image v1alpha1.ImageInfo) error
}

// build is one run of Build: what is known so far.
type build struct {
	options    Options
	definition *definition.Definition
	document   []byte // the definition's Machine document, nil where it has none
	updateRoot updateRoot
	secureBoot *secureBoot // nil: nothing is signed
	lock       *resolve.Lock
	lockDigest store.Digest
	store      *store.Store
	fetcher    *resolve.Fetcher
	goTool     *artifact.Go
	progress   *progress
	unlock     func()

	// Parts, by the name of their step, in the order of making.
	parts  []part
	images []bakedImage
	// baked tells the manifest about the images.
	baked []output.Artifact
}

// steps is how many lines a build prints.
const steps = 9

func open(ctx context.Context, o Options) (*build, error) {
	b := &build{options: o, progress: newProgress(o.Progress, o.Terminal, o.Explain, steps)}
	step := b.progress.step("definition")
	err := b.load(ctx)
	if err != nil {
		return nil, step.fail(err)
	}
	step.done(fmt.Sprintf("%s %s for %s%s", b.definition.Name, b.definition.Version, o.Arch, b.updateRoot.warning(b.lock.Date)), "lock sha256:"+b.lockDigest.SHA256)
	return b, nil
}

func (b *build) load(ctx context.Context) (err error) {
	o := b.options
	if b.definition, err = definition.LoadVersion(o.Definition, o.Version); err != nil {
		return err
	}
	if !slices.Contains(b.definition.Architectures, o.Arch) {
		err := fmt.Errorf("cannot build %q for %s: its architectures are %v", b.definition.Name, o.Arch, b.definition.Architectures)
		return hint.New(err, "name another with --arch, or add it to the definition")
	}
	if b.document, err = b.readDocument(); err != nil {
		return err
	}
	if o.Lock == "" {
		o.Lock = findLock(o.Definition, b.definition.Base)
	}
	if b.lock, err = resolve.Load(o.Lock); err != nil {
		return err
	}
	if b.lockDigest, err = store.DigestFile(o.Lock); err != nil {
		return err
	}
	if b.updateRoot, err = readUpdateRoot(b.definition.Update.Root); err != nil {
		return err
	}
	if b.secureBoot, err = openSecureBoot(ctx, o.SecureBoot); err != nil {
		return err
	}
	root, err := moduleRoot(filepath.Dir(o.Definition))
	if err != nil {
		return err
	}
	if b.goTool, err = artifact.OpenGo(ctx, root); err != nil {
		return err
	}
	if b.store, err = store.Open(o.StoreDir); err != nil {
		return err
	}
	b.fetcher = b.newFetcher()
	if b.options.Output, err = filepath.Abs(o.Output); err != nil {
		return err
	}
	b.unlock, err = b.store.Lock(ctx, "output"+b.options.Output)
	return err
}

// findLock is the lock file beside the definition, else the one beside its base: a definition of one's own is pinned as what it builds upon.
func findLock(file, base string) string {
	own := filepath.Join(filepath.Dir(file), "lock.yaml")
	if _, err := os.Stat(own); base == "" || err == nil {
		return own
	}
	return filepath.Join(filepath.Dir(base), "lock.yaml")
}

func (b *build) close() {
	b.unlock()
}

// newFetcher looks for a mirror only when a package is not in the store.
func (b *build) newFetcher() *resolve.Fetcher {
	return &resolve.Fetcher{
		Lock: b.lock, Store: b.store,
		Mirror: func() (resolve.Mirror, error) {
			return resolve.OpenArchive(os.DirFS("/"), b.options.Mirror)
		},
		Progress: func(pin resolve.Pin, done int64) {
			b.progress.detail(fmt.Sprintf("fetching %s, %d of %d MB", pin.Name, done/1e6, pin.SizeBytes/1e6))
		},
	}
}

// moduleRoot finds the checkout that a directory lies in: agent and runc are built from it.
func moduleRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "cmd", "stele-agent")); err == nil {
			return at, nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if at == filepath.Dir(at) {
			err := fmt.Errorf("cannot find the sources of Stele at or above %q", dir)
			return "", hint.New(err, "keep image definitions inside a checkout of the repository")
		}
	}
}
