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

use super::{Reuse, State, trees::Answer, words::problem_to_wit};
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
