//! Where a run's parts stand: as files in its folder, or in memory of the process alone.
//!
//! `journal.rs` makes one, `pool.rs` grows and shrinks in it. A run in memory has no file and no lock: it is the same
//! journal over anonymous pages, drained by its own process only and gone with it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chunk::Chunk;
use crate::control::Control;
use crate::directory;
use crate::error::JournalError;
use crate::functions::DefinitionsWriter;
use crate::options::{Options, RunIdentity};
use crate::segment::Geometry;
use crate::tallies::Tallies;

/// Where the parts of one run stand.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// In this folder, as files that survive the process.
    Folder(PathBuf),
    /// In the process.
    Memory,
}

impl Place {
    /// The folder; empty for a run in memory.
    pub(crate) fn folder(&self) -> &Path {
        match self {
            Place::Folder(folder) => folder,
            Place::Memory => Path::new(""),
        }
    }

    pub(crate) fn is_memory(&self) -> bool {
        matches!(self, Place::Memory)
    }

    /// Makes the run's control file, or what stands for it. A file that exists is refused.
    pub(crate) fn create_control(
        &self,
        run_id: u64,
        geometry: Geometry,
        identity: &RunIdentity,
    ) -> Result<Control, JournalError> {
        match self {
            Place::Folder(folder) => {
                let path = folder.join(directory::CONTROL);
                Control::create(&directory::create_file(&path)?, &path, run_id, geometry, identity)
            }
            Place::Memory => Control::in_memory(run_id, geometry, identity),
        }
    }

    /// Makes the place of the functions' definitions.
    pub(crate) fn create_definitions(&self, run_id: u64) -> Result<DefinitionsWriter, JournalError> {
        let file: Option<File> = match self {
            Place::Folder(folder) => Some(directory::create_file(&folder.join(directory::FUNCTIONS))?),
            Place::Memory => None,
        };
        Ok(DefinitionsWriter::new(file, run_id))
    }

    /// Makes the place of the tallies.
    pub(crate) fn create_tallies(&self, run_id: u64) -> Result<Tallies, JournalError> {
        let file = match self {
            Place::Folder(folder) => Some(directory::create_file(&folder.join(directory::TALLIES))?),
            Place::Memory => None,
        };
        Ok(Tallies::new(file, run_id))
    }

    /// Makes a chunk with all segments FREE at `epoch`. Where the folder was deleted it is one in memory: no other process
    /// finds the files that are left either.
    pub(crate) fn create_chunk(
        &self,
        run_id: u64,
        number: u32,
        geometry: Geometry,
        epoch: u32,
    ) -> Result<Chunk, JournalError> {
        match self {
            Place::Folder(folder) if folder.exists() => Chunk::create(folder, run_id, number, geometry, epoch),
            Place::Folder(_) => Chunk::in_memory(run_id, number, geometry, epoch),
            Place::Memory => Chunk::in_memory(run_id, number, geometry, epoch),
        }
    }

    /// Makes the first chunks of a run.
    pub(crate) fn create_first_chunks(&self, run_id: u64, options: &Options) -> Result<Vec<Arc<Chunk>>, JournalError> {
        let geometry = options.geometry()?;
        (1..=options.initial_chunks() as u32)
            .map(|number| self.create_chunk(run_id, number, geometry, 0).map(Arc::new))
            .collect()
    }

    /// Takes a chunk's file away; memory goes with its last holder.
    pub(crate) fn remove_chunk(&self, number: u32) {
        if let Place::Folder(folder) = self {
            let _ = fs::remove_file(folder.join(directory::chunk_name(number)));
        }
    }
}
