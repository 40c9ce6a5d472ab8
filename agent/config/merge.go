package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/strictyaml"
)

// Layer is one document with its rank: Merge takes layers from the weakest to the strongest.
type Layer struct {
	// Name is "image", "platform" or "user".
	Name     string
	Document Document
}

// Origin is where a value of a merged document came from. Line and Column are 0 where it came from no file.
type Origin struct {
	Layer, Source string
	Line, Column  int
}

// Merged is the document that several layers make, and the origin of each path in it.
type Merged struct {
	Machine v1alpha1.Machine
	Origins map[string]Origin
}

// Merge lays documents over each other, on top of the empty one:
//
//   - a scalar that a layer sets replaces the one below, also by false, 0 or "";
//   - fields and maps merge entry by entry;
//   - containers, update checks and registries merge by name and host: entries with a new name are appended, those with a known one merge field by field;
//     so do interfaces, by name or hardware address;
//   - volumes match by name too, but the stronger one replaces the weaker one, because a volume has exactly one source; for the same
//     reason a probe replaces a probe;
//   - every other list replaces the list below.
//
// No layer can remove an entry that a weaker one made. Two entries of the same name in one layer stay two, for Validate to find.
func Merge(layers []Layer) Merged {
	m := Merged{Machine: empty(), Origins: map[string]Origin{}}
	for _, layer := range layers {
		l := &merging{Layer: layer, origins: m.Origins}
		l.structure(reflect.ValueOf(&m.Machine).Elem(), reflect.ValueOf(layer.Document.Machine), "", "")
		l.record("", "")
	}
	return m
}

// merging is one layer on its way into the merged document. Of each value it knows two paths: from, in the layer, and to, in the result.
type merging struct {
	Layer
	origins map[string]Origin
}

// set tells whether the layer sets the value at the path.
func (l *merging) set(src reflect.Value, from string) bool {
	if l.Document.Positions == nil {
		return !src.IsZero()
	}
	_, ok := l.Document.Positions[from]
	return ok
}

func (l *merging) record(from, to string) {
	at := l.Document.Positions[from]
	if from == "" && at.Line == 0 {
		return // a layer that sets nothing is no one's origin
	}
	l.origins[to] = Origin{Layer: l.Name, Source: l.Document.Source, Line: at.Line, Column: at.Column}
}

func (l *merging) structure(dst, src reflect.Value, from, to string) {
	for i := range src.NumField() {
		name := strictyaml.Name(src.Type().Field(i))
		from, to := strictyaml.Field(from, name), strictyaml.Field(to, name)
		if !l.set(src.Field(i), from) {
			continue
		}
		if src.Field(i).Kind() != reflect.Struct || l.Document.Positions != nil {
			l.record(from, to)
		}
		l.value(dst.Field(i), src.Field(i), from, to)
	}
}

func (l *merging) value(dst, src reflect.Value, from, to string) {
	switch {
	case src.Kind() == reflect.Struct:
		l.structure(dst, src, from, to)
	case src.Kind() == reflect.Map:
		l.mapping(dst, src, from, to)
	case src.Kind() == reflect.Slice && keyOf(src.Type().Elem()) != nil:
		l.keyed(dst, src, from, to)
	default:
		l.replace(dst, src, from, to)
	}
}

func (l *merging) mapping(dst, src reflect.Value, from, to string) {
	if dst.IsNil() {
		dst.Set(reflect.MakeMap(dst.Type()))
	}
	for _, key := range src.MapKeys() {
		dst.SetMapIndex(key, src.MapIndex(key))
		l.record(strictyaml.Key(from, key.String()), strictyaml.Key(to, key.String()))
	}
}

// keyed merges a list whose items have a name.
func (l *merging) keyed(dst, src reflect.Value, from, to string) {
	key := keyOf(src.Type().Elem())
	known := map[string]int{}
	for i := range dst.Len() {
		known[key(dst.Index(i).Interface())] = i
	}
	for i := range src.Len() {
		name := key(src.Index(i).Interface())
		at, ok := known[name]
		if !ok || name == "" {
			at = dst.Len()
			dst.Set(reflect.Append(dst, reflect.Zero(dst.Type().Elem())))
		}
		from, to := strictyaml.Index(from, i), strictyaml.Index(to, at)
		l.record(from, to)
		if src.Index(i).Type() == reflect.TypeFor[v1alpha1.Volume]() {
			l.replace(dst.Index(at), src.Index(i), from, to)
		} else {
			l.structure(dst.Index(at), src.Index(i), from, to)
		}
	}
}

// replace puts the layer's value in the place of the one below, and its origins in the place of theirs.
func (l *merging) replace(dst, src reflect.Value, from, to string) {
	if !dst.IsZero() && (dst.Kind() == reflect.Slice || dst.Kind() == reflect.Pointer || dst.Kind() == reflect.Struct) {
		for path := range l.origins {
			if strings.HasPrefix(path, to) && len(path) > len(to) && (path[len(to)] == '.' || path[len(to)] == '[') {
				delete(l.origins, path)
			}
		}
	}
	dst.Set(src)
	l.origin(src, from, to)
}

// origin records the origin of everything inside a value that was taken as a whole.
func (l *merging) origin(v reflect.Value, from, to string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			l.origin(v.Elem(), from, to)
		}
	case reflect.Slice:
		for i := range v.Len() {
			from, to := strictyaml.Index(from, i), strictyaml.Index(to, i)
			l.record(from, to)
			l.origin(v.Index(i), from, to)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name := strictyaml.Name(v.Type().Field(i))
			from, to := strictyaml.Field(from, name), strictyaml.Field(to, name)
			if l.set(v.Field(i), from) {
				l.record(from, to)
				l.origin(v.Field(i), from, to)
			}
		}
	}
}

// keyOf returns how items of a list are told apart when layers merge; nil for lists that are replaced.
func keyOf(item reflect.Type) func(any) string {
	switch item {
	case reflect.TypeFor[v1alpha1.Container]():
		return func(v any) string { return v.(v1alpha1.Container).Name }
	case reflect.TypeFor[v1alpha1.Volume]():
		return func(v any) string { return v.(v1alpha1.Volume).Name }
	case reflect.TypeFor[v1alpha1.UpdateCheck]():
		return func(v any) string { return v.(v1alpha1.UpdateCheck).Name }
	case reflect.TypeFor[v1alpha1.Registry]():
		return func(v any) string { return v.(v1alpha1.Registry).Host }
	case reflect.TypeFor[v1alpha1.Interface]():
		return func(v any) string {
			i := v.(v1alpha1.Interface)
			if i.MACAddress != "" {
				return fmt.Sprintf("%s %s", i.Name, strings.ToLower(i.MACAddress))
			}
			return i.Name
		}
	}
	return nil
}

// platformDocument holds what the platform itself says of the machine: its name, in the form that the kernel takes. Platforms give
// full domain names, which can be longer than the kernel's limit: then the first label has to do.
func platformDocument(hostname string) Document {
	doc := Document{Machine: empty(), Source: "the platform's metadata"}
	hostname = strings.TrimSuffix(strings.ToLower(hostname), ".")
	if len(hostname) > maxHostname {
		hostname, _, _ = strings.Cut(hostname, ".")
	}
	doc.Machine.Spec.Hostname = hostname
	return doc
}
