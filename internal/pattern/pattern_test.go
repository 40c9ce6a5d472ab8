package pattern

import "testing"

func TestNew(t *testing.T) {
	digits := New(`^[0-9]+$`)
	if !digits().MatchString("42") || digits().MatchString("x") {
		t.Error("the expression matches something else")
	}
	if first, second := digits(), digits(); first != second {
		t.Error("the expression is compiled at each call")
	}
	wrong := New(`(`)
	defer func() {
		if recover() == nil {
			t.Error("a wrong expression is not noticed")
		}
	}()
	wrong()
}
