package omendb

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// On such machines a []float32 lies in memory as the wire has it.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// bytesOf gives vectors as float32 little-endian: their own memory, without a copy, so that the one copy is that which
// protobuf makes into the message. Only on big-endian machines they are converted, which is one copy more.
func bytesOf(vectors []float32) []byte {
	if littleEndian {
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(vectors))), 4*len(vectors))
	}
	return convertedBytesOf(vectors)
}

func convertedBytesOf(vectors []float32) []byte {
	converted := make([]byte, 0, 4*len(vectors))
	for _, component := range vectors {
		converted = binary.LittleEndian.AppendUint32(converted, math.Float32bits(component))
	}
	return converted
}

// floatsOf reads float32 little-endian on any machine; nil where there is none. A copy: bytes of a message need not be
// aligned.
func floatsOf(bytes []byte) []float32 {
	if len(bytes) == 0 {
		return nil
	}
	vector := make([]float32, len(bytes)/4)
	for i := range vector {
		vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(bytes[4*i:]))
	}
	return vector
}
