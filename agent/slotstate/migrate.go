package slotstate

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Migration makes the files of one schema from those of the schema before. It is pure: it changes nothing but the Files it is given.
type Migration func(Files) (Files, error)

// migrations of this version: the first one leads from schema 1 to schema 2. An entry that was released is never changed.
var migrations = []Migration{}

// schemaFile holds the number of the directory's schema: decimal digits and a newline. A directory without it has schema 1.
const schemaFile = "schema"

// LegacyPath is where versions without slots' state kept the last good document.
const LegacyPath = "/var/lib/stele/document"

// ErrNewer means that a later version has written a slot's state, in a schema that this one cannot know.
var ErrNewer = errors.New("a later version wrote it")

// Prepare readies a slot's state for this version, at the start and before anything else is read: it removes what a power cut left behind,
// takes over what an older version kept in legacy (a directory; where no slot has state yet), and migrates the slot's files to this
// version's schema. It is idempotent. With ErrNewer the state is as it was, and not to be used.
func (s Store) Prepare(slot, legacy string) error {
	if err := valid(slot); err != nil {
		return err
	}
	if err := s.prepare(name(slot), legacy); err != nil {
		return fmt.Errorf("cannot prepare the state of slot %q: %w", name(slot), err)
	}
	return nil
}

func (s Store) prepare(slot, legacy string) error {
	for _, slot := range []string{"a", "b"} {
		if err := s.discard(filepath.Join(s.root(), temporary(slot))); err != nil {
			return err
		}
	}
	files, err := load(s.Dir(slot))
	if err != nil {
		return err
	}
	if !exists(s.Dir("a")) && !exists(s.Dir("b")) && legacy != "" {
		if files, err = takeOver(legacy); err != nil {
			return err
		}
	}
	known := s.migrations
	if known == nil {
		known = migrations
	}
	migrated, err := Migrate(files, known)
	if err != nil {
		return err
	}
	return s.replace(slot, migrated)
}

// takeOver returns the files of an older version's directory by their names of schema 1.
func takeOver(legacy string) (Files, error) {
	old, err := load(legacy)
	if err != nil {
		return nil, err
	}
	files := Files{}
	if document, ok := old["last-good"]; ok {
		files["document/last-good"] = document
	}
	return files, nil
}

// Migrate brings files to the newest schema that a list of migrations leads to. It is pure, and does nothing when they are there already.
func Migrate(files Files, known []Migration) (Files, error) {
	schema, err := schemaOf(files)
	if err != nil {
		return nil, err
	}
	newest := 1 + len(known)
	if schema > newest {
		return nil, fmt.Errorf("its schema is %d, this version knows %d: %w", schema, newest, ErrNewer)
	}
	files = clone(files)
	for ; schema < newest; schema++ {
		if files, err = known[schema-1](files); err != nil {
			return nil, fmt.Errorf("cannot migrate it from schema %d to %d: %w", schema, schema+1, err)
		}
	}
	files[schemaFile] = []byte(strconv.Itoa(schema) + "\n")
	return files, nil
}

// clone copies deeply: a migration may change what it is given.
func clone(files Files) Files {
	copied := maps.Clone(files)
	if copied == nil {
		return Files{}
	}
	for path, data := range copied {
		copied[path] = slices.Clone(data)
	}
	return copied
}

func schemaOf(files Files) (int, error) {
	text, ok := files[schemaFile]
	if !ok {
		return 1, nil
	}
	digits, ended := strings.CutSuffix(string(text), "\n")
	schema, err := strconv.Atoi(digits)
	if err != nil || !ended || schema < 1 || strconv.Itoa(schema) != digits {
		return 0, fmt.Errorf("its file %q does not hold a number", schemaFile)
	}
	return schema, nil
}
