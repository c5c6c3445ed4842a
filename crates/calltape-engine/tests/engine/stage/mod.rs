//! A tape for a test: a folder, a journal with small segments, and a drain that is driven by hand.

pub(crate) mod damage;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use calltape_engine::drain::{Drain, DrainError, Point, tape_directory};
use calltape_journal::{Journal, Options};
use calltape_testkit::{Caller, Database, identity};

/// Long enough for anything that is going to happen.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) struct Stage {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) db: PathBuf,
    pub(crate) journal: Arc<Journal>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let db = folder.path().join("calls.db");
        let journal = journal_at(&db);
        Self { folder, db, journal }
    }

    pub(crate) fn caller(&self, name: &str) -> Caller {
        Caller::new(&self.journal, name)
    }

    /// A drain that has the lease.
    pub(crate) fn drain(&self) -> Drain {
        let mut drain = Drain::new(&self.db, Some(Arc::clone(&self.journal)));
        assert!(drain.take_lease().expect("a lease file"), "the lease is free");
        drain
    }

    pub(crate) fn database(&self) -> Database {
        Database::open(&self.db)
    }

    /// The process dies: its journal is nobody's any more. Callers must be gone already.
    pub(crate) fn die(self) -> (tempfile::TempDir, PathBuf) {
        assert_eq!(Arc::strong_count(&self.journal), 1, "somebody still holds the journal");
        (self.folder, self.db)
    }
}

/// A journal whose segments hold a few dozen calls, so that sealing and recycling happen.
pub(crate) fn journal_at(db: &std::path::Path) -> Arc<Journal> {
    let options = Options {
        limit_bytes: 4 << 20,
        initial_bytes: 16 << 10,
        segment_bytes: 4 << 10,
        chunk_bytes: 16 << 10,
        ..Options::default()
    };
    Arc::new(Journal::create(&tape_directory(db), &identity(), &options).expect("a journal"))
}

/// Passes until there is nothing left to do.
pub(crate) fn drain_all(drain: &mut Drain) {
    loop {
        let progress = drain.pass(true).expect("a pass");
        if !progress.committed && !progress.more {
            return;
        }
    }
}

/// A drain without a recording of its own, as a recovery has it.
pub(crate) fn stranger(db: &std::path::Path) -> Drain {
    let mut drain = Drain::new(db, None);
    assert!(drain.take_lease().expect("a lease file"), "the lease is free");
    drain
}

/// Makes the drain die at the `nth` time it comes to `point`.
pub(crate) fn die_at(drain: &mut Drain, point: Point, nth: usize) {
    let mut left = nth;
    drain.observe(move |reached| {
        left = left.saturating_sub(usize::from(reached == point));
        left > 0 || reached != point
    });
}

/// Whether a pass died where a test said.
pub(crate) fn died<T>(outcome: &Result<T, DrainError>) -> bool {
    matches!(outcome, Err(DrainError::Stopped(_)))
}
