//! Whether the frames of a WAL are as SQLite wrote them. Asked when somebody else has written to the file: SQLite itself
//! checks frames only when it recovers a WAL, and takes them as they are while the file is open.
//!
//! The layout and the checksum: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>. SQLite locks the database
//! and the shared memory, never the WAL, so opening and closing it here drops no lock.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes before the first frame.
pub(super) const HEADER_BYTES: usize = 32;

/// Bytes before the page in each frame.
pub(super) const FRAME_HEADER_BYTES: usize = 24;

/// The magic number of a WAL whose checksums are of little-endian words; one more means big-endian.
const MAGIC: u32 = 0x377f_0682;

/// The running checksum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    first: u32,
    second: u32,
    big_endian: bool,
}

impl Sum {
    /// Adds bytes, a multiple of 8.
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks_exact(8) {
            let (one, two) = (self.word(pair), self.word(&pair[4..]));
            self.first = self.first.wrapping_add(one).wrapping_add(self.second);
            self.second = self.second.wrapping_add(two).wrapping_add(self.first);
        }
    }

    fn word(&self, bytes: &[u8]) -> u32 {
        let word = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    }

    /// Whether it is the sum that stands at the beginning of `bytes`.
    fn stands_at(&self, bytes: &[u8]) -> bool {
        (self.first, self.second) == (stored_word(bytes), stored_word(&bytes[4..]))
    }
}

/// Numbers of the header and of frames are big-endian.
fn stored_word(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// Whether no frame was ever written at the place of the frame with this index: its page's number is 0. A file that cannot
/// be read says nothing.
pub(super) fn is_blank(path: &Path, frame: u64, frame_bytes: u64) -> bool {
    let mut number = [0; 4];
    let at = HEADER_BYTES as u64 + frame * frame_bytes;
    File::open(path).and_then(|file| file.read_exact_at(&mut number, at)).is_ok() && number == [0; 4]
}

/// Whether the first `frames` frames of the WAL at `path` are whole, one after the other.
pub(super) fn is_sound(path: &Path, frames: u64) -> io::Result<bool> {
    if frames == 0 {
        return Ok(true);
    }
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    match check(&mut file, frames) {
        Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        outcome => outcome,
    }
}

fn check(file: &mut impl Read, frames: u64) -> io::Result<bool> {
    let mut header = [0; HEADER_BYTES];
    file.read_exact(&mut header)?;
    let magic = stored_word(&header);
    let mut sum = Sum { big_endian: magic & 1 == 1, ..Sum::default() };
    sum.add(&header[..24]);
    let page_bytes = stored_word(&header[8..]) as usize;
    let is_page = page_bytes.is_power_of_two() && (512..=65_536).contains(&page_bytes);
    if magic & !1 != MAGIC || !is_page || !sum.stands_at(&header[24..]) {
        return Ok(false);
    }
    let mut frame = vec![0; FRAME_HEADER_BYTES + page_bytes];
    for _ in 0..frames {
        file.read_exact(&mut frame)?;
        sum.add(&frame[..8]);
        sum.add(&frame[FRAME_HEADER_BYTES..]);
        // Salts: bytes 8 to 16 of a frame, 16 to 24 of the header.
        if frame[8..16] != header[16..24] || !sum.stands_at(&frame[16..]) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_of_a_wal_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        let database = rusqlite::Connection::open(&path).expect("opens");
        let fill =
            "PRAGMA page_size = 512; PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES ('tea');";
        database.execute_batch(fill).expect("filled");
        let frames = database
            .query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get::<_, i64>(1))
            .expect("a checkpoint")
            .unsigned_abs();
        let wal = folder.path().join("x.db-wal");
        assert!(is_sound(&wal, frames).expect("read"));
        assert!(!is_sound(&wal, frames + 1).expect("read"), "more frames than there are");
        let sound = std::fs::read(&wal).expect("read");
        for at in 0..sound.len() * 8 {
            let mut flipped = sound.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(!check(&mut flipped.as_slice(), frames).unwrap_or(false), "bit {at}");
        }
    }
}
