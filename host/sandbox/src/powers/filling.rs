//! The interface `trees`, its half to fill: what a fetcher writes goes to `sti-core`'s tree-writer, which judges every path.

use sti_bindings::{
    handles::{FileWriter, TreeWriter as Handle},
    host::sti::host::trees as wit,
};
use sti_core::{
    Problem, ProblemKind,
    tree::{GrowingFile, TreeWriter},
};
use wasmtime::component::Resource;

use super::{Matter, Reuse, State, trees::Answer, words::problem_to_wit};
use crate::calls::Exceeded;

/// How many files may grow at one time; each holds a descriptor of the process.
const MOST_GROWING: usize = 64;
/// Bytes of what a plugin says that a tree will be.
const LONGEST_KEY: usize = 1_000;

impl State {
    /// Writes, in time that is the host's.
    fn fill<T>(&mut self, write: impl FnOnce(&mut TreeWriter) -> Result<T, Problem>) -> Answer<T> {
        let _paused = self.clock.pause();
        let tree = self.filled.as_mut().ok_or_else(|| wasmtime::format_err!("this call fills no tree"))?;
        if matches!(self.reuse, Reuse::Taken(_)) {
            let taken = "the tree of an earlier fetch was taken: there is nothing to write";
            return Ok(Err(problem_to_wit(Problem::new(ProblemKind::Invalid, "tree-taken", taken))));
        }
        Ok(write(tree).map_err(problem_to_wit))
    }

    /// Asks the keeper for a tree, once and before anything is written.
    fn take_kept(&mut self, key: &str) -> Result<bool, Problem> {
        let invalid = |code: &str, message: &str| Err(Problem::new(ProblemKind::Invalid, code, message));
        if key.is_empty() || key.len() > LONGEST_KEY {
            return invalid("invalid-key", "the key of a tree is empty, or too long");
        }
        if self.reuse != Reuse::NotAsked || !self.filled.as_ref().is_some_and(TreeWriter::is_untouched) {
            return invalid("asked-late", "what the tree will be is said once, and before anything is written");
        }
        if let Matter::Errand(_, facts) = &self.matter {
            self.known.clone_from(facts);
        }
        let kept = self.keeper.as_ref().and_then(|keeper| keeper.reuse(key));
        self.reuse = kept.map_or(Reuse::NothingKept, Reuse::Taken);
        Ok(kept.is_some())
    }

    fn growing(&mut self, file: &Resource<FileWriter>) -> wasmtime::Result<(&mut TreeWriter, &mut Option<GrowingFile>)> {
        let FileWriter(number) = *self.handles.get(file)?;
        let file = self.growing.get_mut(&number).ok_or_else(|| wasmtime::format_err!("a handle leads to no file"))?;
        let tree = self.filled.as_mut().ok_or_else(|| wasmtime::format_err!("this call fills no tree"))?;
        Ok((tree, file))
    }
}

impl wit::HostTreeWriter for State {
    fn reuse(&mut self, _: Resource<Handle>, key: String) -> Answer<bool> {
        let _paused = self.clock.pause();
        Ok(self.take_kept(&key).map_err(problem_to_wit))
    }

    fn put_directory(&mut self, _: Resource<Handle>, path: String, mode: u32) -> Answer<()> {
        self.fill(|tree| tree.put_directory(&path, mode))
    }

    fn put_file(&mut self, _: Resource<Handle>, path: String, mode: u32, bytes: Vec<u8>) -> Answer<()> {
        self.fill(|tree| tree.put_file(&path, mode, bytes))
    }

    fn open_file(&mut self, _: Resource<Handle>, path: String, mode: u32) -> Answer<Resource<FileWriter>> {
        if self.growing.len() >= MOST_GROWING {
            return Err(Exceeded::number("it writes too many files at one time", MOST_GROWING).into());
        }
        let file = match self.fill(|tree| tree.open_file(&path, mode))? {
            Ok(file) => file,
            Err(problem) => return Ok(Err(problem)),
        };
        self.opened += 1;
        self.growing.insert(self.opened, Some(file));
        Ok(Ok(self.handles.push(FileWriter(self.opened))?))
    }

    fn put_symlink(&mut self, _: Resource<Handle>, path: String, target: String) -> Answer<()> {
        self.fill(|tree| tree.put_symlink(&path, &target))
    }

    fn put_hardlink(&mut self, _: Resource<Handle>, path: String, existing: String) -> Answer<()> {
        self.fill(|tree| tree.put_hardlink(&path, &existing))
    }

    fn expect(&mut self, _: Resource<Handle>, path: String, bytes: u64) -> Answer<()> {
        self.fill(|tree| tree.expect(&path, bytes))
    }

    fn remove(&mut self, _: Resource<Handle>, path: String) -> Answer<()> {
        self.fill(|tree| tree.remove(&path))
    }

    fn set_top(&mut self, _: Resource<Handle>, directory: String) -> Answer<()> {
        self.fill(|tree| tree.set_top(&directory))
    }

    fn drop(&mut self, writer: Resource<Handle>) -> wasmtime::Result<()> {
        self.handles.delete(writer)?;
        Ok(())
    }
}

impl wit::HostFileWriter for State {
    fn write(&mut self, file: Resource<FileWriter>, bytes: Vec<u8>) -> Answer<()> {
        let _paused = self.clock.pause();
        let (tree, file) = self.growing(&file)?;
        let file = file.as_mut().ok_or_else(|| wasmtime::format_err!("a file that was finished is written to"))?;
        Ok(tree.append(file, bytes).map_err(problem_to_wit))
    }

    fn finish(&mut self, file: Resource<FileWriter>) -> Answer<()> {
        let _paused = self.clock.pause();
        let (tree, file) = self.growing(&file)?;
        Ok(file.take().map_or(Ok(()), |file| tree.finish_file(file)).map_err(problem_to_wit))
    }

    /// What was not finished stays counted as open: the fetch fails.
    fn drop(&mut self, file: Resource<FileWriter>) -> wasmtime::Result<()> {
        let FileWriter(number) = self.handles.delete(file)?;
        if let (Some(Some(file)), Some(tree)) = (self.growing.remove(&number), &mut self.filled) {
            tree.give_up_file(file);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test makes and looks at files by itself")]

    use std::sync::Arc;

    use cap_std::{ambient_authority, fs::Dir};
    use sti_bindings::handles::Address;
    use sti_bindings::host::sti::host::{requests::HostAddress, trees::HostTreeWriter};
    use sti_core::{
        Blob, Variable,
        progress::Silent,
        tree::{Summary, WriteLimits},
    };

    use super::*;
    use crate::{Errand, Keeper, Limits, Reach, output::Output};

    /// Keeps one tree.
    struct OneTree;

    impl Keeper for OneTree {
        fn reuse(&self, key: &str) -> Option<Summary> {
            (key == "kept").then_some(Summary { entries: 7, bytes: 77 })
        }

        fn kept(&self, name: &str) -> Option<Blob> {
            panic!("asked for `{name}`, which is no name")
        }

        fn keep(&self, name: &str, _: &Blob) {
            panic!("given `{name}`, which is no name")
        }
    }

    fn fetching(keeper: Option<Arc<dyn Keeper>>) -> (State, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let open = || Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        let tree = TreeWriter::new(&open(), WriteLimits::default()).unwrap();
        let errand =
            Errand { text: "a".to_owned(), reference: None, subdirectory: None, settings: Vec::new(), file: None, input: None };
        let reach = Reach { web: None, keeper, spool: Arc::new(open()), progress: Arc::new(Silent) };
        (State::errand(&Limits::default(), "test", reach, &Output::default(), errand, tree).unwrap(), folder)
    }

    fn tree() -> Resource<Handle> {
        Resource::new_borrow(0)
    }

    fn code<T>(answer: Answer<T>) -> Result<T, String> {
        answer.unwrap().map_err(|problem| problem.code)
    }

    #[test]
    fn a_tree_that_is_kept_is_taken_and_not_written_to() {
        let (mut state, folder) = fetching(Some(Arc::new(OneTree)));
        assert_eq!(code(state.reuse(tree(), "kept".to_owned())), Ok(true));
        assert_eq!(code(state.put_file(tree(), "a".to_owned(), 0o644, Vec::new())), Err("tree-taken".to_owned()));
        assert_eq!(code(state.put_directory(tree(), String::new(), 0o700)), Err("tree-taken".to_owned()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(state.take_tree().1, Some(Summary { entries: 7, bytes: 77 }));
    }

    #[test]
    fn one_that_is_not_kept_is_written() {
        for keeper in [None, Some(Arc::new(OneTree) as Arc<dyn Keeper>)] {
            let (mut state, _folder) = fetching(keeper);
            assert_eq!(code(state.reuse(tree(), "another".to_owned())), Ok(false));
            assert_eq!(code(state.put_file(tree(), "a".to_owned(), 0o644, Vec::new())), Ok(()));
            assert_eq!(state.take_tree().1, None);
        }
    }

    #[test]
    fn it_is_asked_for_once_and_before_anything_is_written() {
        let late = || Err("asked-late".to_owned());
        let (mut state, _folder) = fetching(Some(Arc::new(OneTree)));
        assert_eq!(code(state.reuse(tree(), "another".to_owned())), Ok(false));
        assert_eq!(code(state.reuse(tree(), "kept".to_owned())), late());
        for write in [
            |state: &mut State| code(state.put_symlink(tree(), "a".to_owned(), "b".to_owned())),
            |state: &mut State| code(state.put_directory(tree(), String::new(), 0o500)),
            |state: &mut State| code(state.open_file(tree(), "a/b".to_owned(), 0o644)).map(drop),
        ] {
            let (mut state, _folder) = fetching(Some(Arc::new(OneTree)));
            write(&mut state).unwrap();
            assert_eq!(code(state.reuse(tree(), "kept".to_owned())), late());
        }
    }

    #[test]
    fn what_is_found_out_later_belongs_to_the_tree() {
        let (mut state, _folder) = fetching(None);
        let record = |state: &mut State, name: &str, value: &str| {
            HostAddress::record_fact(state, Resource::new_borrow(0), name.to_owned(), value.to_owned()).unwrap();
        };
        record(&mut state, "revision", "1");
        record(&mut state, "reference", "main");
        assert_eq!(code(state.reuse(tree(), "another".to_owned())), Ok(false));
        let later = |state: &State| match &state.matter {
            Matter::Errand(_, facts) => state.found_later(facts),
            _ => unreachable!("it is a fetch"),
        };
        record(&mut state, "revision", "1");
        assert_eq!(later(&state), [], "the same said twice is the same");
        record(&mut state, "revision", "2");
        record(&mut state, "entries", "7");
        assert_eq!(later(&state), [Variable::new("revision", "2"), Variable::new("entries", "7")]);
    }

    #[test]
    fn keys_have_a_length_and_names_a_form() {
        let (mut state, _folder) = fetching(Some(Arc::new(OneTree)));
        for key in [String::new(), "x".repeat(LONGEST_KEY + 1)] {
            assert_eq!(code(state.reuse(tree(), key)), Err("invalid-key".to_owned()));
        }
        let address = || Resource::<Address>::new_borrow(0);
        for name in ["", "../up", "A", "a b"] {
            assert!(state.kept(address(), name.to_owned()).unwrap().is_none());
        }
    }
}
