package plan

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Changes tells in words what differs between two desired states, in the order of the document; none where they are equal. Values that may be
// secret (environment, commands) are never in it, only the names of their fields.
func Changes(from, to Desired) []string {
	var c changes
	c.value("hostname", from.Hostname, to.Hostname)
	c.sysctls(from.Sysctls, to.Sysctls)
	c.keyed("network link", "", keys(from.Network.Links, linkKey), keys(to.Network.Links, linkKey))
	c.fields("network", from.Network, to.Network, "links")
	c.fields("time", from.Time, to.Time)
	c.keyed("registry", "", keys(from.Registries, func(r Registry) string { return r.Host }), keys(to.Registries, func(r Registry) string { return r.Host }))
	c.keyed("volume", "", keys(from.Volumes, func(v Volume) string { return v.Name }), keys(to.Volumes, func(v Volume) string { return v.Name }))
	c.api(from.API, to.API)
	c.keyed("update check", "", keys(from.Update.Checks, func(k Check) string { return k.Name }), keys(to.Update.Checks, func(k Check) string { return k.Name }))
	c.fields("update", from.Update, to.Update, "checks")
	c.keyed("container", "; it is started anew", keys(from.Containers, containerKey), keys(to.Containers, containerKey))
	return c
}

type changes []string

func (c *changes) add(format string, args ...any) { *c = append(*c, fmt.Sprintf(format, args...)) }

func (c *changes) value(what, from, to string) {
	if from != to {
		c.add("%s: %q becomes %q", what, from, to)
	}
}

func (c *changes) sysctls(from, to []Sysctl) {
	old, wanted := keys(from, func(s Sysctl) string { return s.Name }), keys(to, func(s Sysctl) string { return s.Name })
	for _, name := range union(old, wanted) {
		before, had := old.get(name)
		after, has := wanted.get(name)
		switch {
		case !had:
			c.add("sysctl %s: set to %q", name, after.(Sysctl).Value)
		case !has:
			c.add("sysctl %s: no longer set", name)
		default:
			c.value("sysctl "+name, before.(Sysctl).Value, after.(Sysctl).Value)
		}
	}
}

func (c *changes) api(from, to API) {
	switch {
	case from == to:
	case to.Port == 0:
		c.add("api: no longer listens, so this change cannot be taken back by way of it")
	case from.Port == 0:
		c.add("api: listens on port %d", to.Port)
	default:
		c.fields("api", from, to)
	}
}

// keyed compares lists whose entries have names.
func (c *changes) keyed(kind, consequence string, from, to entries) {
	for _, name := range union(from, to) {
		before, had := from.get(name)
		after, has := to.get(name)
		switch {
		case !had:
			c.add("%s %s: added", kind, name)
		case !has:
			c.add("%s %s: removed", kind, name)
		default:
			if fields := differing(before, after); len(fields) > 0 {
				c.add("%s %s: changed (%s)%s", kind, name, strings.Join(fields, ", "), consequence)
			}
		}
	}
}

// fields compares two structures, but for the fields left out.
func (c *changes) fields(what string, from, to any, except ...string) {
	fields := slices.DeleteFunc(differing(from, to), func(f string) bool { return slices.Contains(except, f) })
	if len(fields) > 0 {
		c.add("%s: changed (%s)", what, strings.Join(fields, ", "))
	}
}

// differing names the fields in which two structures of one type differ.
func differing(from, to any) []string {
	var names []string
	a, b := reflect.ValueOf(from), reflect.ValueOf(to)
	for i := range a.NumField() {
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}

// entries are a list's in its order, by name.
type entries struct {
	names  []string
	values []any
}

func (e entries) get(name string) (any, bool) {
	if i := slices.Index(e.names, name); i >= 0 {
		return e.values[i], true
	}
	return nil, false
}

func keys[T any](list []T, key func(T) string) entries {
	var e entries
	for _, item := range list {
		e.names, e.values = append(e.names, key(item)), append(e.values, item)
	}
	return e
}

// union is every name once, sorted.
func union(a, b entries) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.names, b.names))))
}

func linkKey(l Link) string {
	if l.Name != "" {
		return l.Name
	}
	return l.MACAddress
}

func containerKey(c Container) string { return c.Name }
