package reference

import (
	"bytes"
	"encoding/json"
)

// object is one JSON object whose keys are written in sorted order.
type object = map[string]any

// writeSchema makes a JSON Schema (draft 2020-12). It knows names, types and words; what needs thought (addresses, references, "exactly
// one of") the product's own code checks (`stele config check`, `stele build`).
func writeSchema(title string, types []structType) ([]byte, error) {
	definitions := object{}
	for _, t := range types {
		definitions[t.name] = structSchema(t)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(object{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   title,
		"$ref":    "#/$defs/" + types[0].name,
		"$defs":   definitions,
	})
	return out.Bytes(), err
}

func structSchema(t structType) object {
	properties, required := object{}, []string{}
	for _, f := range t.fields {
		properties[f.name] = fieldSchema(f)
		if f.required {
			required = append(required, f.name)
		}
	}
	schema := object{"type": "object", "description": t.doc, "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

func fieldSchema(f field) object {
	item := object{}
	switch {
	case f.kind.object != "":
		item["$ref"] = "#/$defs/" + f.kind.object
	case f.takesNumber:
		item["type"] = []string{"string", "number"}
	default:
		item["type"] = f.kind.scalar
	}
	if f.enum != nil {
		item["enum"] = f.enum
	}
	switch {
	case f.kind.list:
		item = object{"type": "array", "items": item}
	case f.kind.mapping:
		item = object{"type": "object", "additionalProperties": item}
	}
	item["description"] = f.doc
	if f.fallback != "" {
		item["description"] = f.doc + " Default: " + f.fallback + "."
	}
	return item
}
