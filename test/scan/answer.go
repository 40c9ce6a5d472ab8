package scan

import "encoding/binary"

// answer is what a machine says about one of its ports.
type answer struct {
	port int
	open bool
	// acknowledged is the sequence number with which an open TCP port is closed again.
	acknowledged uint32
}

// answerOf reads the answer to a question that was asked from a port of ours.
func answerOf(asked, protocol byte, content []byte, ours uint16) (answer, bool) {
	switch {
	case asked == protocolTCP && protocol == protocolTCP:
		return segmentAnswer(content, ours)
	case asked == protocolUDP && protocol == protocolUDP && len(content) >= 8 && binary.BigEndian.Uint16(content[2:]) == ours:
		return answer{port: int(binary.BigEndian.Uint16(content)), open: true}, true
	case asked == protocolUDP && protocol == protocolICMP && len(content) >= 8 && content[0] == 3 && content[1] == 3: // RFC 792: destination, port
		quoted := content[8:]
		if len(quoted) < 20 || len(quoted) < int(quoted[0]&15)*4+4 {
			return answer{}, false
		}
		return quotedAnswer(quoted[int(quoted[0]&15)*4:], ours)
	case asked == protocolUDP && protocol == protocolICMPv6 && len(content) >= 8+40+4 && content[0] == 1 && content[1] == 4: // RFC 4443, 3.1
		return quotedAnswer(content[8+40:], ours)
	}
	return answer{}, false
}

func segmentAnswer(s []byte, ours uint16) (answer, bool) {
	if len(s) < 20 || binary.BigEndian.Uint16(s[2:]) != ours {
		return answer{}, false
	}
	a := answer{port: int(binary.BigEndian.Uint16(s)), acknowledged: binary.BigEndian.Uint32(s[8:])}
	a.open = s[13]&(flagSYN|flagACK) == flagSYN|flagACK
	return a, a.open || s[13]&flagRST != 0
}

// quotedAnswer reads the ports of the datagram that an error quotes: it went from us to a port where nobody listens.
func quotedAnswer(d []byte, ours uint16) (answer, bool) {
	return answer{port: int(binary.BigEndian.Uint16(d[2:]))}, binary.BigEndian.Uint16(d) == ours
}
