// Package dmlog reads logs of a disk's writes in the format of Linux's dm-log-writes target, which QEMU's driver blklogwrites writes too, and builds the disk as it
// was after any of them.
//
//	sector 0      super block: magic, version, number of entries, size of a sector (drivers/md/dm-log-writes.c, struct log_write_super)
//	sector 1 ...  entry (struct log_write_entry), a sector long; behind one of a write, as many sectors of data
//
// All numbers are little-endian; sectors are counted in the log's own size. A discard has no data, nor has a flush alone; a mark carries its text within its sector.
// (Documentation/admin-guide/device-mapper/log-writes.rst; QEMU block/blklogwrites.c.)
//
// A log is outside input: the number of entries and every length are held against the size of the file. Reading it decides nothing; which moments to look at is Points.
package dmlog
