//! The functions file: one framed definition after another; a definition's slot is its position.
//!
//! `journal.rs` appends with one `write` each, off the hot path; `run.rs` reads what is complete. A definition is
//! written before the first record that names its slot.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::layout::MAXIMUM_SLOTS;
use crate::layout::functions as at;

/// The writing side. One at a time; the journal keeps it under a lock.
pub(crate) struct DefinitionsWriter {
    /// None for a run in memory, whose definitions are kept in `kept`.
    file: Option<File>,
    kept: Vec<Vec<u8>>,
    run_id: u64,
    /// Where the next entry goes.
    offset: u64,
    /// Its slot; slot 0 stands for all functions beyond the last.
    next_slot: u32,
}

impl DefinitionsWriter {
    /// Starts on an empty file, or in memory.
    pub(crate) fn new(file: Option<File>, run_id: u64) -> DefinitionsWriter {
        DefinitionsWriter { file, kept: Vec::new(), run_id, offset: 0, next_slot: 1 }
    }

    /// Its file once more; none for a run in memory.
    pub(crate) fn file(&self) -> io::Result<Option<File>> {
        self.file.as_ref().map(File::try_clone).transpose()
    }

    /// The definitions of a run in memory, from the `from`th.
    pub(crate) fn kept_since(&self, from: usize) -> &[Vec<u8>] {
        self.kept.get(from..).unwrap_or_default()
    }

    /// Appends a definition; slot 0 when all slots are taken.
    ///
    /// # Errors
    ///
    /// When the disk is full or fails. The slot is then not used, and the next definition writes over the rest.
    pub(crate) fn append(&mut self, definition: &[u8]) -> io::Result<u32> {
        if self.next_slot >= MAXIMUM_SLOTS {
            return Ok(0);
        }
        let slot = self.next_slot;
        match &self.file {
            Some(file) => {
                let entry = encode(self.run_id, slot, definition);
                if let Err(error) = file.write_all_at(&entry, self.offset) {
                    // Cutting off a torn entry frees space and cannot fail for lack of it; a rest is overwritten anyway.
                    let _ = file.set_len(self.offset);
                    return Err(error);
                }
                self.offset += entry.len() as u64;
            }
            None => self.kept.push(definition.to_vec()),
        }
        self.next_slot += 1;
        Ok(slot)
    }
}

fn checksum(run_id: u64, slot: u32, definition: &[u8]) -> u32 {
    let place = crc32c::crc32c_append(crc32c::crc32c(&run_id.to_le_bytes()), &slot.to_le_bytes());
    crc32c::crc32c_append(place, definition)
}

fn encode(run_id: u64, slot: u32, definition: &[u8]) -> Vec<u8> {
    let mut entry = Vec::with_capacity(at::ENTRY_HEADER_BYTES + definition.len() + 7);
    entry.extend_from_slice(&(definition.len() as u32).to_le_bytes());
    entry.extend_from_slice(&checksum(run_id, slot, definition).to_le_bytes());
    entry.extend_from_slice(definition);
    entry.resize(entry.len().next_multiple_of(8), 0);
    entry
}

/// The reading side: keeps what it has read and goes on from there.
pub(crate) struct DefinitionsReader {
    run_id: u64,
    offset: u64,
    /// By slot minus one; a damaged definition is empty, so that later ones keep their slots.
    definitions: Vec<Vec<u8>>,
}

impl DefinitionsReader {
    pub(crate) fn new(run_id: u64) -> DefinitionsReader {
        DefinitionsReader { run_id, offset: 0, definitions: Vec::new() }
    }

    pub(crate) fn definitions(&self) -> &[Vec<u8>] {
        &self.definitions
    }

    /// Takes up the definitions of a run in memory.
    pub(crate) fn take_up(&mut self, writer: &DefinitionsWriter) {
        self.definitions.extend_from_slice(writer.kept_since(self.definitions.len()));
    }

    /// Reads the entries added since. Stops at an incomplete one: its writer may be at it. Gives the slots found
    /// damaged, which is sure once something follows, or when the owner is dead.
    pub(crate) fn read_on(&mut self, file: &File, owner_is_dead: bool) -> io::Result<Vec<u32>> {
        let length = file.metadata()?.len();
        // Entries are small; the file holds at most 16383 of them, but a foreign length is not trusted.
        let most = u64::from(MAXIMUM_SLOTS) * 4096 + at::MAXIMUM_DEFINITION_BYTES as u64;
        let unread = length.saturating_sub(self.offset).min(most);
        let mut bytes = vec![0; usize::try_from(unread).unwrap_or(0)];
        let read = read_at_most(file, self.offset, &mut bytes)?;
        Ok(self.parse(&bytes[..read], owner_is_dead))
    }

    fn parse(&mut self, mut bytes: &[u8], owner_is_dead: bool) -> Vec<u32> {
        let mut damaged = Vec::new();
        while self.definitions.len() + 1 < MAXIMUM_SLOTS as usize {
            let slot = self.definitions.len() as u32 + 1;
            let Some((header, rest)) = bytes.split_first_chunk::<{ at::ENTRY_HEADER_BYTES }>() else { break };
            let [a, b, c, d, sum @ ..] = *header;
            let length = u32::from_le_bytes([a, b, c, d]) as usize;
            let padded = length.next_multiple_of(8);
            if length > at::MAXIMUM_DEFINITION_BYTES || padded > rest.len() {
                // Nothing after a wrong length can be found again.
                if owner_is_dead {
                    damaged.push(slot);
                }
                break;
            }
            let (definition, rest) = (&rest[..length], &rest[padded..]);
            if checksum(self.run_id, slot, definition) == u32::from_le_bytes(sum) {
                self.definitions.push(definition.to_vec());
            } else if owner_is_dead || !rest.is_empty() {
                damaged.push(slot);
                self.definitions.push(Vec::new());
            } else {
                break;
            }
            self.offset += (at::ENTRY_HEADER_BYTES + padded) as u64;
            bytes = rest;
        }
        damaged
    }
}

fn read_at_most(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < into.len() {
        match file.read_at(&mut into[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(bytes) => read += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_of(definitions: &[&[u8]]) -> File {
        let file = tempfile::tempfile().expect("a file");
        let mut writer = DefinitionsWriter::new(file.try_clone().ok(), 7);
        for definition in definitions {
            writer.append(definition).expect("appends");
        }
        file
    }

    #[test]
    fn definitions_come_back_in_their_slots_and_reading_goes_on() {
        let file = tempfile::tempfile().expect("a file");
        let mut writer = DefinitionsWriter::new(file.try_clone().ok(), 7);
        let mut reader = DefinitionsReader::new(7);
        assert_eq!(writer.append(b"one").expect("appends"), 1);
        assert_eq!(writer.append(b"").expect("appends"), 2);
        assert!(reader.read_on(&file, false).expect("reads").is_empty());
        assert_eq!(writer.append(b"three and more").expect("appends"), 3);
        assert!(reader.read_on(&file, false).expect("reads").is_empty());
        assert_eq!(reader.definitions(), [b"one".to_vec(), b"".to_vec(), b"three and more".to_vec()]);
    }

    #[test]
    fn a_torn_last_entry_is_waited_for_while_the_owner_lives_and_damaged_when_it_is_dead() {
        let file = file_of(&[b"one", b"two and more"]);
        file.set_len(file.metadata().expect("metadata").len() - 8).expect("cuts");
        let mut reader = DefinitionsReader::new(7);
        assert!(reader.read_on(&file, false).expect("reads").is_empty());
        assert_eq!(reader.definitions().len(), 1);
        assert_eq!(reader.read_on(&file, true).expect("reads"), [2]);
    }

    #[test]
    fn a_damaged_definition_leaves_the_others_their_slots() {
        let file = file_of(&[b"one", b"two", b"three"]);
        file.write_all_at(b"X", 16 + 9).expect("writes");
        let mut reader = DefinitionsReader::new(7);
        assert_eq!(reader.read_on(&file, false).expect("reads"), [2]);
        assert_eq!(reader.definitions(), [b"one".to_vec(), Vec::new(), b"three".to_vec()]);
    }

    #[test]
    fn when_all_slots_are_taken_a_definition_gets_slot_zero() {
        let mut writer = DefinitionsWriter::new(tempfile::tempfile().ok(), 7);
        for slot in 1..MAXIMUM_SLOTS {
            assert_eq!(writer.append(b"").expect("appends"), slot);
        }
        assert_eq!(writer.append(b"").expect("appends"), 0);
    }

    #[test]
    fn a_definition_is_read_up_to_the_longest_there_can_be() {
        let longest = at::MAXIMUM_DEFINITION_BYTES;
        let file = file_of(&[&vec![1; longest], &vec![2; longest], &vec![3; longest]]);
        let mut reader = DefinitionsReader::new(7);
        assert!(reader.read_on(&file, true).expect("reads").is_empty());
        assert_eq!(reader.definitions().iter().map(Vec::len).collect::<Vec<_>>(), [longest; 3]);
        let mut reader = DefinitionsReader::new(7);
        assert_eq!(reader.read_on(&file_of(&[&vec![1; longest + 1]]), true).expect("reads"), [1]);
        assert!(reader.definitions().is_empty());
    }

    #[test]
    fn definitions_beyond_the_last_slot_are_not_read() {
        let mut bytes = Vec::new();
        for slot in 1..MAXIMUM_SLOTS + 5 {
            bytes.extend_from_slice(&encode(7, slot, b""));
        }
        let mut reader = DefinitionsReader::new(7);
        assert!(reader.parse(&bytes, true).is_empty());
        assert_eq!(reader.definitions().len(), MAXIMUM_SLOTS as usize - 1);
    }

    /// A hole takes no disk, so any length costs a stranger nothing.
    #[test]
    fn of_a_file_of_absurd_length_only_what_there_can_be_is_read() {
        let file = file_of(&[b"one"]);
        file.set_len(1 << 36).expect("a hole");
        let mut reader = DefinitionsReader::new(7);
        assert!(!reader.read_on(&file, true).expect("reads").is_empty());
        assert_eq!(reader.definitions()[0], b"one");
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let no_file = File::open(folder.path()).expect("opens");
        let refused = DefinitionsReader::new(7).read_on(&no_file, true).map_err(|error| error.kind());
        assert_eq!(refused, Err(io::ErrorKind::IsADirectory));
    }
}
