package hardening

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/config"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder/resolve"
)

const configs = "../../kernel-configs"

var architectures = []string{"x86_64", "arm64"}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestEveryRefusalHasAReason holds kernel-configs/README.md against the verdicts, both ways, and the verdicts against the configurations
// and the tool that they are about.
func TestEveryRefusalHasAReason(t *testing.T) {
	excuses, err := Excuses(string(read(t, filepath.Join(configs, "README.md"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range excuses {
		if len(e.Reason) < 10 || len(e.Limit) < 10 {
			t.Errorf("%s has no reason or no limit of the risk", e.Name)
		}
	}
	lock, err := resolve.Load("../../images/lock.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pin, err := lock.Pin(resolve.KernelHardeningChecker, "all")
	if err != nil {
		t.Fatal(err)
	}
	for _, architecture := range architectures {
		about, checks, err := DecodeVerdict(read(t, filepath.Join(configs, architecture+".verdict")))
		if err != nil {
			t.Fatal(err)
		}
		final := read(t, filepath.Join(configs, architecture+".final"))
		if want := fmt.Sprintf("kernel-hardening-checker %s on a .config with SHA-256 %x", pin.Version, sha256.Sum256(final)); about != want {
			t.Errorf("%s.verdict is by %s\nwant       %s\nhint: go test -tags qemu ./test/build -run TestVerdict -update, then TestHardening in ./test/qemu", architecture, about, want)
		}
		for _, problem := range Compare(excuses, architecture, checks) {
			t.Error(problem)
		}
	}
}

// TestAim: what this kernel is meant to reach. A number that fell is a decision that somebody must make, not find out.
func TestAim(t *testing.T) {
	aims := map[string]map[string]int{
		"x86_64": {Kconfig: 227, CommandLine: 50, Sysctl: 33},
		"arm64":  {Kconfig: 205, Sysctl: 33},
	}
	for _, architecture := range architectures {
		_, checks, err := DecodeVerdict(read(t, filepath.Join(configs, architecture+".verdict")))
		if err != nil {
			t.Fatal(err)
		}
		for kind, aim := range aims[architecture] {
			if score := Scores(checks)[kind]; score.OK < aim {
				t.Errorf("%s, %s: %v, want at least %d OK", architecture, kind, score, aim)
			}
		}
	}
}

var sample = []Check{
	{"CONFIG_BUG", Kconfig, "y", "OK"},
	{"CONFIG_LSM", Kconfig, "*lockdown*", `OK: in "landlock,lockdown"`},
	{"CONFIG_LSM", Kconfig, "*selinux*", `FAIL: not in "landlock,lockdown"`},
	{"nosmt", CommandLine, "is present", "FAIL: is not present"},
	{"fs.suid_dumpable", Sysctl, "0", "OK"},
}

func TestVerdictReadsBack(t *testing.T) {
	text := Verdict("1.0", []byte("CONFIG_BUG=y\n"), sample)
	about, checks, err := DecodeVerdict(text)
	if err != nil || !strings.HasPrefix(about, "kernel-hardening-checker 1.0 on ") || fmt.Sprint(checks) != fmt.Sprint(sample) {
		t.Errorf("got %q, %v, %v", about, checks, err)
	}
	if !bytes.Contains(text, []byte("\n# kconfig: 2 OK, 1 FAIL of 3\n")) {
		t.Errorf("no score in:\n%s", text)
	}
	if _, _, err := DecodeVerdict([]byte("# about\nCONFIG_BUG is fine\n")); err == nil {
		t.Error("a damaged verdict was read")
	}
}

func TestCompare(t *testing.T) {
	readme := "x\n" + excusesHeading + "\n\n### Options\n\n| option | on | why | limit |\n|---|---|---|---|\n" +
		"| `CONFIG_LSM` | both | no policy | others |\n| `CONFIG_A`, `CONFIG_B` | arm64 | why | limit |\n\n### Command line\n\n| `nosmt` | x86_64 | why | limit |\n\n## Next\n| `CONFIG_C` | both | a | b |\n"
	excuses, err := Excuses(readme)
	if err != nil || len(excuses) != 4 {
		t.Fatalf("got %+v, %v", excuses, err)
	}
	if problems := Compare(excuses, "x86_64", sample); problems != nil {
		t.Errorf("got %q", problems)
	}
	problems := strings.Join(Compare(excuses, "arm64", sample), "\n")
	for _, want := range []string{"excuses CONFIG_A", "excuses CONFIG_B", "nosmt is refused"} {
		if !strings.Contains(problems, want) {
			t.Errorf("no %q in %q", want, problems)
		}
	}
	if problems := strings.Join(Compare(excuses, "arm64", sample[:3]), "\n"); strings.Contains(problems, "nosmt") {
		t.Errorf("a command line that nobody looked at is judged: %q", problems)
	}
	for _, bad := range []string{"no heading", excusesHeading + "\n| `A` | both | b | c |\n", excusesHeading + "\n### Options\n| `A` | both |\n"} {
		if _, err := Excuses(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, text := range []string{`{`, `[{"option_name":"A","type":"kconfig","check_result":"maybe"}]`, `[{"option_name":"A","type":"other","check_result":"OK"}]`} {
		if _, err := Decode([]byte(text)); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

func TestDocumentIsValid(t *testing.T) {
	facts := plan.Facts{Image: v1alpha1.ImageInfo{}}
	if _, problems := config.Evaluate(config.Input{User: []byte(Document), UserSource: "document"}, facts); len(problems) > 0 {
		t.Error(problems)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`[{"option_name": "CONFIG_BUG", "type": "kconfig", "reason": "self_protection", "desired_val": "y", "check_result": "OK", "check_result_bool": true}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		checks, err := Decode(text)
		if err != nil {
			return
		}
		for kind, score := range Scores(checks) {
			if score.OK < 0 || len(Refused(checks, kind)) > score.Fail {
				t.Errorf("%s: %v", kind, score)
			}
		}
	})
}
