package server

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// shown are the text fields of requests whose values may stand in logs. Of all others only size and digest do (TestSummaryKeepsSecrets).
var shown = map[protoreflect.Name]bool{
	"version": true, "reason": true, "name": true, "container": true, "digest": true, "if_digest": true, "confirm_hostname": true,
}

// summary is a request in words, without what may be secret: documents hold environment values.
func summary(m proto.Message) string {
	var words []string
	fields := m.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if m.ProtoReflect().Has(field) {
			words = append(words, string(field.Name())+"="+word(field, m.ProtoReflect().Get(field)))
		}
	}
	return strings.Join(words, " ")
}

func word(field protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch field.Kind() {
	case protoreflect.StringKind:
		if shown[field.Name()] {
			return strconv.Quote(clean(v.String()))
		}
		return fmt.Sprintf("(%d bytes, sha256:%x)", len(v.String()), sha256.Sum256([]byte(v.String())))
	case protoreflect.BytesKind:
		return fmt.Sprintf("(%d bytes)", len(v.Bytes()))
	case protoreflect.EnumKind:
		if value := field.Enum().Values().ByNumber(v.Enum()); value != nil {
			return string(value.Name())
		}
		return strconv.Itoa(int(v.Enum()))
	case protoreflect.MessageKind:
		return moment(v.Message().Interface())
	}
	return v.String()
}

// moment is a duration or a time; there are no other messages in requests.
func moment(m proto.Message) string {
	switch m := m.(type) {
	case interface{ GetSeconds() int64 }:
		return strconv.FormatInt(m.GetSeconds(), 10) + "s"
	}
	return "(message)"
}
