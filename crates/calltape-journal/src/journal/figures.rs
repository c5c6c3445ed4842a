//! What the owner asks of its journal: how full it is, what it has done, how far it is written and drained.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Journal;
use crate::chunk::Chunk;
use crate::segment::SegmentState;

/// How full the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupancy {
    /// Bytes of segments on disk and mapped.
    pub bytes_mapped: u64,
    /// Of these, in segments that hold or may get frames.
    pub bytes_leased_or_sealed: u64,
    /// The limit from the options.
    pub limit_bytes: u64,
    /// Segments ready to lease.
    pub free_segments: usize,
}

/// What the journal has done since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JournalStats {
    /// Segments leased.
    pub leases: u64,
    /// Leases refused because the journal was full.
    pub refused_leases: u64,
    /// Chunks added.
    pub growths: u64,
    /// Chunks that could not be added: the disk was full or the system refused.
    pub failed_growths: u64,
    /// Chunks removed when idle.
    pub removed_chunks: u64,
}

/// How far every segment was written at one moment; see [`Journal::drained_past`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    /// Segment number, epoch, committed offset.
    segments: Vec<(u32, u32, usize)>,
}

impl Journal {
    /// How full the journal is.
    pub fn occupancy(&self) -> Occupancy {
        let (bytes_mapped, free_segments) = self.shared.pool.usage();
        let free = free_segments as u64 * self.shared.pool.geometry().segment_bytes as u64;
        Occupancy {
            bytes_mapped,
            bytes_leased_or_sealed: bytes_mapped - free,
            limit_bytes: self.shared.pool.limit_bytes(),
            free_segments,
        }
    }

    /// What the journal has done.
    pub fn stats(&self) -> JournalStats {
        let counts = self.shared.pool.counts();
        JournalStats {
            leases: counts.leases.load(Ordering::Relaxed),
            refused_leases: counts.refused_leases.load(Ordering::Relaxed),
            growths: counts.growths.load(Ordering::Relaxed),
            failed_growths: counts.failed_growths.load(Ordering::Relaxed),
            removed_chunks: counts.removed_chunks.load(Ordering::Relaxed),
        }
    }

    /// How far everything is written now.
    pub fn positions(&self) -> Positions {
        let mut segments = Vec::new();
        for chunk in self.shared.pool.chunks() {
            for segment in chunk.segments() {
                if segment.state() != SegmentState::Free {
                    segments.push((segment.number(), segment.epoch(), segment.committed()));
                }
            }
        }
        Positions { segments }
    }

    /// Whether all that was committed when `positions` was taken is in a database, whoever drains.
    pub fn drained_past(&self, positions: &Positions) -> bool {
        let chunks = self.shared.pool.chunks();
        let find = |number| chunks.iter().find_map(|chunk: &Arc<Chunk>| chunk.segment(number));
        positions.segments.iter().all(|&(number, epoch, offset)| match find(number) {
            // A segment is recycled, and a chunk removed, only after all in it was committed.
            None => true,
            Some(segment) => {
                segment.state() == SegmentState::Free || segment.epoch() != epoch || segment.drained() >= offset
            }
        })
    }
}
