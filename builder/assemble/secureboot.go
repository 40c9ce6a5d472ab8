package assemble

import (
	"fmt"
	"os"

	"github.com/stele-os/stele/internal/fat"
)

// SecureBoot is what makes an image one that firmware can verify. A nil one signs nothing.
type SecureBoot struct {
	// Sign returns a PE image with a signature; name is for errors.
	Sign func(name string, image []byte) ([]byte, error)
	// Variables are signed ones, by name (PK, KEK, db, dbx), from which the loader enrols a machine that is in setup mode.
	Variables map[string][]byte
	// Enroll is the loader's word for when it does so: one of EnrollWords.
	Enroll string
}

// EnrollWords are what the loader knows (loader.conf(5), secure-boot-enroll). It acts only on a machine in setup mode, whatever the word:
//
//	if-safe  virtual machines enrol by themselves; elsewhere a person chooses it in the loader's menu
//	force    every machine does, after 15 seconds in which a key press stops it: hardware whose option ROMs nobody of ours has signed
//	         (a graphics card, say) may not start any more
//	manual   a person chooses it in the loader's menu
//	off      nobody does from here: the variables come to the machine in another way
var EnrollWords = []string{"if-safe", "force", "manual", "off"}

// variableNames in the order in which the loader enrols them.
var variableNames = []string{"db", "dbx", "KEK", "PK"}

// variableDir is where the loader looks for them (systemd-boot(7), "Files"): "auto" is the set that if-safe and force take.
const variableDir = "loader/keys/auto/"

func (s *SecureBoot) sign(name string, image []byte) ([]byte, error) {
	if s == nil {
		return image, nil
	}
	return s.Sign(name, image)
}

// signedFile is a file of the host, signed.
func (s *SecureBoot) signedFile(path, source string) (fat.File, error) {
	if s == nil {
		return hostFile(path, source)
	}
	image, err := os.ReadFile(source)
	if err != nil {
		return fat.File{}, fmt.Errorf("cannot take %q for the ESP: %w", source, err)
	}
	if image, err = s.Sign(path, image); err != nil {
		return fat.File{}, err
	}
	return memoryFile(path, image), nil
}

func (s *SecureBoot) loaderConf() string {
	if s == nil {
		return ""
	}
	return "secure-boot-enroll " + s.Enroll + "\n"
}

func (s *SecureBoot) variables() (files []fat.File) {
	if s == nil {
		return nil
	}
	for _, name := range variableNames {
		if content, ok := s.Variables[name]; ok {
			files = append(files, memoryFile(variableDir+name+".auth", content))
		}
	}
	return files
}
