package server

import (
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// repair, which owns the answer but not what the state holds (statusOf copies lists), makes all texts of an answer valid UTF-8: one that is not (the kernel's last words, a container's reason) would make the whole answer
// fail, and Status must not.
func repair(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case field.IsMap():
			// Keys and values of maps are words of ours.
		case field.IsList():
			for i := range v.List().Len() {
				if fixed, changed := repaired(field, v.List().Get(i)); changed {
					v.List().Set(i, fixed)
				}
			}
		default:
			if fixed, changed := repaired(field, v); changed {
				m.Set(field, fixed)
			}
		}
		return true
	})
}

func repaired(field protoreflect.FieldDescriptor, v protoreflect.Value) (fixed protoreflect.Value, changed bool) {
	switch field.Kind() {
	case protoreflect.MessageKind:
		repair(v.Message())
	case protoreflect.StringKind:
		if !utf8.ValidString(v.String()) {
			return protoreflect.ValueOfString(strings.ToValidUTF8(v.String(), "\uFFFD")), true
		}
	}
	return v, false
}
