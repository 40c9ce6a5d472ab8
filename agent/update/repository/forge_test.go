package repository

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/verity"
)

// The tests' today, and the end of what a forge signs.
var (
	today = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	later = today.Add(30 * 24 * time.Hour)
)

// files is a repository in memory.
type files map[string][]byte

func (f files) String() string { return "the test's repository" }

func (f files) Open(ctx context.Context, path string, offset, length int64) (io.ReadCloser, error) {
	data, ok := f[path]
	if !ok {
		return nil, ErrNotFound
	}
	if length < 0 {
		length = int64(len(data)) - offset
	}
	return io.NopCloser(io.NewSectionReader(bytes.NewReader(data), offset, length)), nil
}

// key is one Ed25519 key, always the same for its name.
type key struct {
	signature.Signer
	public *metadata.Key
	id     string
}

func newKey(t testing.TB, name string) key {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	private := ed25519.NewKeyFromSeed(seed[:])
	signer, err := signature.LoadSigner(private, crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	public, err := metadata.KeyFromPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	id, err := public.ID()
	if err != nil {
		t.Fatal(err)
	}
	return key{signer, public, id}
}

// forge makes repositories, good and bad. Its fields are what the next publish signs; files hold what was published.
type forge struct {
	t                                    testing.TB
	files                                files
	rootKeys, timestampKeys              []key
	snapshotKeys, targetsKeys            []key
	rootThreshold                        int
	root, timestampVersion               int64
	snapshotVersion, targetsVersion      int64
	rootExpires, expires                 time.Time
	targets                              map[string]*metadata.TargetFiles
	withoutHashes, inconsistentSnapshots bool
}

func newForge(t testing.TB) *forge {
	f := &forge{
		t: t, files: files{}, rootThreshold: 1, rootExpires: later, expires: later, targets: map[string]*metadata.TargetFiles{},
		rootKeys: []key{newKey(t, "root")}, timestampKeys: []key{newKey(t, "timestamp")},
		snapshotKeys: []key{newKey(t, "snapshot")}, targetsKeys: []key{newKey(t, "targets")},
	}
	f.addBundle("1.1.0", nil)
	f.publishRoot()
	f.publish()
	return f
}

// addBundle lists a bundle for the image "web" on x86_64 that change may make unfit.
func (f *forge) addBundle(version string, change func(*bundle.Info)) {
	info := testInfo(version)
	if change != nil {
		change(&info)
	}
	custom, err := info.Encode()
	if err != nil {
		f.t.Fatal(err)
	}
	f.addTarget(info.TargetName(), info.BundleBytes, custom)
}

func (f *forge) addTarget(name string, length int64, custom json.RawMessage) {
	sum := sha256.Sum256([]byte(name))
	f.targets[name] = &metadata.TargetFiles{Length: length, Hashes: metadata.Hashes{"sha256": sum[:]}, Custom: &custom}
}

func testInfo(version string) bundle.Info {
	digest := func(of string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(of+version))) }
	i := bundle.Info{
		Format: bundle.Format, Name: "web", Version: version, Architecture: "x86_64", RootHash: digest("root hash"),
		UKI: bundle.Part{Bytes: 5 << 20, SHA256: digest("uki")}, Root: bundle.Part{Bytes: 8 << 20, SHA256: digest("root")},
		Verity: bundle.Part{Bytes: verity.HashDeviceBytes(8 << 20), SHA256: digest("verity")},
		Table:  bundle.Table{Offset: 1 << 20, Length: 14 * bundle.EntryBytes, SHA256: digest("table")},
	}
	i.BundleBytes = i.Table.Offset + i.Table.Length
	return i
}

// publishRoot signs the next root with the keys of now and with extra ones, such as those of the root before.
func (f *forge) publishRoot(extra ...key) []byte {
	f.root++
	m := metadata.Root(f.rootExpires)
	m.Signed.Version, m.Signed.ConsistentSnapshot = f.root, !f.inconsistentSnapshots
	for role, keys := range map[string][]key{metadata.ROOT: f.rootKeys, metadata.TIMESTAMP: f.timestampKeys, metadata.SNAPSHOT: f.snapshotKeys, metadata.TARGETS: f.targetsKeys} {
		for _, k := range keys {
			if err := m.Signed.AddKey(k.public, role); err != nil {
				f.t.Fatal(err)
			}
		}
	}
	m.Signed.Roles[metadata.ROOT].Threshold = f.rootThreshold
	data := sign(f.t, m, append(extra, f.rootKeys...))
	f.files[fmt.Sprintf("metadata/%d.root.json", f.root)] = data
	return data
}

// publish signs the next targets, snapshot and timestamp.
func (f *forge) publish() {
	f.targetsVersion++
	f.snapshotVersion++
	f.timestampVersion++
	targets := metadata.Targets(f.expires)
	targets.Signed.Version, targets.Signed.Targets = f.targetsVersion, f.targets
	data := sign(f.t, targets, f.targetsKeys)
	f.files[fmt.Sprintf("metadata/%d.targets.json", f.targetsVersion)] = data

	snapshot := metadata.Snapshot(f.expires)
	snapshot.Signed.Version = f.snapshotVersion
	snapshot.Signed.Meta["targets.json"] = f.metaFile(f.targetsVersion, data)
	data = sign(f.t, snapshot, f.snapshotKeys)
	f.files[fmt.Sprintf("metadata/%d.snapshot.json", f.snapshotVersion)] = data

	timestamp := metadata.Timestamp(f.expires)
	timestamp.Signed.Version = f.timestampVersion
	timestamp.Signed.Meta["snapshot.json"] = f.metaFile(f.snapshotVersion, data)
	f.files["metadata/timestamp.json"] = sign(f.t, timestamp, f.timestampKeys)
}

func (f *forge) metaFile(version int64, data []byte) *metadata.MetaFiles {
	m := &metadata.MetaFiles{Version: version}
	if !f.withoutHashes {
		sum := sha256.Sum256(data)
		m.Length, m.Hashes = int64(len(data)), metadata.Hashes{"sha256": sum[:]}
	}
	return m
}

// snap returns what is published now, for a later replay.
func (f *forge) snap() files { return maps.Clone(f.files) }

func sign[T metadata.Roles](t testing.TB, m *metadata.Metadata[T], keys []key) []byte {
	t.Helper()
	for _, k := range keys {
		if _, err := m.Sign(k); err != nil {
			t.Fatal(err)
		}
	}
	data, err := m.ToBytes(false)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// machine is a client with its clock and directory.
type machine struct {
	*Client
	t     testing.TB
	o     *Options
	now   time.Time
	doubt string
}

// memoryDir is a directory in memory where there is one: thousands of files are flushed.
func memoryDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "stele-tuf-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// newMachine has the forge's first root in its image.
func newMachine(t testing.TB, root []byte) *machine {
	t.Helper()
	m := &machine{t: t, now: today, o: &Options{Root: root, Dir: memoryDir(t) + "/tuf"}}
	m.o.Now = func() time.Time { return m.now }
	m.o.ClockDoubt = func() string { return m.doubt }
	m.restart(root)
	return m
}

// restart opens the client anew, as after a reboot into an image with this root.
func (m *machine) restart(root []byte) {
	m.t.Helper()
	m.o.Root = root
	c, err := Open(*m.o)
	if err != nil {
		m.t.Fatal(err)
	}
	m.Client = c
}

func (m *machine) mustRefresh(src Source) Targets {
	m.t.Helper()
	targets, err := m.Refresh(m.t.Context(), src)
	if err != nil {
		m.t.Fatal(err)
	}
	return targets
}

func (m *machine) mustRefuse(src Source, reason string) {
	m.t.Helper()
	_, err := m.Refresh(m.t.Context(), src)
	if err == nil || !strings.Contains(err.Error(), reason) {
		m.t.Fatalf("got %v, want %q", err, reason)
	}
}

func versions(t Targets) string {
	var all []string
	for _, target := range t.List {
		all = append(all, target.Info.Version)
	}
	return strings.Join(all, " ")
}
