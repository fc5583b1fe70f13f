//! Of the interface `blobs` what is written: files without a name, for what does not fit into a fetcher's memory.

use std::{collections::HashMap, fs::File, io::Write, sync::Arc};

use cap_std::fs::Dir;
use sti_bindings::{
    handles::{Blob as BlobHandle, Spool as Handle},
    host::sti::host::blobs as wit,
};
use sti_core::{Blob, Problem, ProblemKind, spool};
use wasmtime::component::Resource;

use super::{State, requests::Said, trees::Answer, words::problem_to_wit};
use crate::calls::Exceeded;

/// How many may grow at one time; each holds a descriptor of the process.
const MOST_GROWING: usize = 64;
/// How many one call may make.
const MOST: u32 = 10_000;

/// The spools of one call.
#[derive(Default)]
pub(super) struct Spools {
    /// Where they lie; none where the call may have none.
    place: Option<Arc<Dir>>,
    /// By their number; nothing where one is finished.
    growing: HashMap<u32, Option<File>>,
    made: u32,
    bytes: u64,
    most_bytes: u64,
}

impl Spools {
    /// Spools in a directory that hold at most so many bytes together.
    pub(super) fn new(place: Arc<Dir>, most_bytes: u64) -> Self {
        Self { place: Some(place), most_bytes, ..Self::default() }
    }

    fn open(&mut self) -> Result<u32, Problem> {
        let place =
            self.place.as_ref().ok_or_else(|| Problem::new(ProblemKind::Denied, "not-granted", "this call may keep nothing"))?;
        let file = spool::file(place).map_err(|error| unwritable(&error))?;
        self.made += 1;
        self.growing.insert(self.made, Some(file));
        Ok(self.made)
    }

    fn write(&mut self, number: u32, bytes: &[u8]) -> Result<(), Problem> {
        let file = self.growing.get_mut(&number).and_then(Option::as_mut).ok_or_else(finished)?;
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > self.most_bytes {
            return Err(too_many_bytes(self.most_bytes));
        }
        file.write_all(bytes).map_err(|error| unwritable(&error))
    }

    fn finish(&mut self, number: u32) -> Result<Blob, Problem> {
        let file = self.growing.get_mut(&number).and_then(Option::take).ok_or_else(finished)?;
        Blob::of(file).map_err(|error| unwritable(&error))
    }
}

impl wit::Host for State {
    fn new_spool(&mut self) -> Answer<Resource<Handle>> {
        let _paused = self.clock.pause();
        if self.spools.growing.len() >= MOST_GROWING {
            return Err(Exceeded::number("it writes too many spools at one time", MOST_GROWING).into());
        }
        if self.spools.made >= MOST {
            return Err(Exceeded::number("it makes too many spools", MOST as usize).into());
        }
        match self.spools.open() {
            Ok(number) => Ok(Ok(self.handles.push(Handle(number))?)),
            Err(problem) => Ok(Err(problem_to_wit(problem))),
        }
    }
}

impl wit::HostSpool for State {
    fn write(&mut self, spool: Resource<Handle>, bytes: Vec<u8>) -> Answer<()> {
        let _paused = self.clock.pause();
        let Handle(number) = *self.handles.get(&spool)?;
        Ok(self.spools.write(number, &bytes).map_err(problem_to_wit))
    }

    fn finish(&mut self, spool: Resource<Handle>) -> Answer<Resource<BlobHandle>> {
        let Handle(number) = *self.handles.get(&spool)?;
        match self.spools.finish(number) {
            Ok(blob) => Ok(Ok(self.hold_blob(blob)?)),
            Err(problem) => Ok(Err(problem_to_wit(problem))),
        }
    }

    fn drop(&mut self, spool: Resource<Handle>) -> Said<()> {
        let Handle(number) = self.handles.delete(spool)?;
        self.spools.growing.remove(&number);
        Ok(())
    }
}

fn finished() -> Problem {
    Problem::new(ProblemKind::Invalid, "spool-finished", "a spool that was finished cannot be written")
}

fn unwritable(error: &std::io::Error) -> Problem {
    Problem::new(ProblemKind::Unavailable, "unwritable", format!("cannot keep what is fetched: {error}"))
        .with_hint("free some space, or set XDG_CACHE_HOME to a directory that has more")
}

fn too_many_bytes(most: u64) -> Problem {
    let message = format!("what is fetched has more than {most} bytes, before it is unpacked");
    Problem::new(ProblemKind::Exhausted, "too-many-bytes", message)
        .with_hint("where the source is right to need more, raise it: --limit bytes=NUMBER")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test makes and looks at files by itself")]

    use cap_std::ambient_authority;
    use sti_bindings::host::sti::host::{
        blobs::{Host, HostBlob, HostSpool},
        types,
    };
    use sti_core::{
        progress::Silent,
        tree::{TreeWriter, WriteLimits},
    };

    use super::*;
    use crate::{Errand, Limits, Reach, output::Output};

    /// A fetch that may write ten bytes, and the place of its spools.
    fn fetching() -> (State, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str| {
            let top = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
            top.create_dir(name).unwrap();
            top.open_dir(name).unwrap()
        };
        let tree = TreeWriter::new(&open("tree"), WriteLimits { bytes: 10, ..WriteLimits::default() }).unwrap();
        let errand =
            Errand { text: "a".to_owned(), reference: None, subdirectory: None, settings: Vec::new(), file: None, input: None };
        let reach = Reach { web: None, keeper: None, spool: Arc::new(open("spool")), progress: Arc::new(Silent) };
        (State::errand(&Limits::default(), "test", reach, &Output::default(), errand, tree).unwrap(), folder)
    }

    fn again(spool: &Resource<Handle>) -> Resource<Handle> {
        Resource::new_borrow(spool.rep())
    }

    #[test]
    fn what_was_written_is_read_and_nothing_of_it_has_a_name() {
        let (mut state, folder) = fetching();
        let spool = state.new_spool().unwrap().unwrap();
        for piece in [&b"0123"[..], b"", b"456789"] {
            state.write(again(&spool), piece.to_vec()).unwrap().unwrap();
        }
        let blob = state.finish(again(&spool)).unwrap().unwrap();
        assert_eq!(std::fs::read_dir(folder.path().join("spool")).unwrap().count(), 0);
        HostSpool::drop(&mut state, spool).unwrap();
        let read = |state: &mut State| state.read(Resource::new_borrow(blob.rep()), 3, 100).unwrap().unwrap();
        assert_eq!(read(&mut state), b"3456789");
        assert_eq!(state.size(Resource::new_borrow(blob.rep())).unwrap(), 10);
        HostBlob::drop(&mut state, blob).unwrap();
        assert!(state.blobs.is_empty() && state.spools.growing.is_empty(), "files stay open that nobody can reach");
    }

    #[test]
    fn all_spools_together_hold_no_more_than_the_tree_may() {
        let (mut state, _folder) = fetching();
        let (one, other) = (state.new_spool().unwrap().unwrap(), state.new_spool().unwrap().unwrap());
        state.write(again(&one), vec![0; 6]).unwrap().unwrap();
        HostSpool::drop(&mut state, one).unwrap();
        state.write(again(&other), vec![0; 4]).unwrap().unwrap();
        let problem = state.write(again(&other), vec![0]).unwrap().unwrap_err();
        assert_eq!((problem.kind, problem.code.as_str()), (types::ProblemKind::Exhausted, "too-many-bytes"));
        assert!(problem.hint.unwrap().contains("--limit bytes=NUMBER"));
    }

    #[test]
    fn one_that_is_finished_is_neither_written_nor_finished_again() {
        let (mut state, _folder) = fetching();
        let spool = state.new_spool().unwrap().unwrap();
        let blob = state.finish(again(&spool)).unwrap().unwrap();
        assert_eq!(state.size(blob).unwrap(), 0);
        assert_eq!(state.write(again(&spool), b"x".to_vec()).unwrap().unwrap_err().code, "spool-finished");
        assert_eq!(state.finish(again(&spool)).unwrap().unwrap_err().code, "spool-finished");
    }

    #[test]
    fn their_number_has_a_limit_and_those_that_are_gone_do_not_count_as_growing() {
        let (mut state, _folder) = fetching();
        for _ in 0..200 {
            let spool = state.new_spool().unwrap().unwrap();
            HostSpool::drop(&mut state, spool).unwrap();
        }
        let growing: Vec<_> = (0..MOST_GROWING).map(|_| state.new_spool().unwrap().unwrap()).collect();
        assert!(state.new_spool().is_err());
        for spool in growing {
            HostSpool::drop(&mut state, spool).unwrap();
        }
        state.spools.made = MOST;
        assert!(state.new_spool().is_err());
    }

    #[test]
    fn a_call_about_no_address_keeps_nothing() {
        let mut state = State::introduction(&Limits::default(), "test", &Output::default(), crate::Card::default());
        assert_eq!(state.new_spool().unwrap().unwrap_err().code, "not-granted");
    }
}
