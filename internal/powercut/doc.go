// Package powercut tries out what a disk may hold after a power cut. Record notes what a program writes and when it flushes;
// Explore then builds the disks that may be left and hands each to a judge, usually internal/bootmodel.
//
// What may be left (the contract of internal/block, which is that of disks): everything written before the last flush that returned, and of what was written
// since, any subset. The unit is the sector, not the write: a write of several sectors may have happened in any part. With Options.Torn
// the sector at which the power went may hold a mix of its old and its new bytes.
//
// A window is what lies between two flushes. Windows are explored one by one, and within one the subsets that are few are all tried; of those
// that are many, each single one missing, each single one alone, and a seeded random choice. Two choices that leave the same bytes are one state and
// visited once, so the figures in Stats count different disks. The same log and options give the same states in the same order.
//
// It does not model sectors that cannot be read any more, nor disks that break the promise of a flush.
package powercut
