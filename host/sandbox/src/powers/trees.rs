//! The interface `trees`, its half to look at; [`super::filling`] has the other.

use sti_bindings::{handles::Tree as Handle, host::sti::host::trees as wit};
use sti_core::{
    Problem, ProblemKind, Tree,
    tree::{Listed, ListedKind},
};
use wasmtime::component::Resource;

use super::{State, words::problem_to_wit};

pub(super) type Answer<T> = wasmtime::Result<Result<T, wit::Problem>>;

/// The largest file that is read at once.
const MOST_BYTES: u32 = 16 << 20;
/// The longest list that `find` answers with.
const MOST_PATHS: u32 = 10_000;

impl State {
    fn source(&self) -> wasmtime::Result<&Tree> {
        self.tree.as_ref().ok_or_else(|| wasmtime::format_err!("this call has no tree"))
    }
}

impl wit::Host for State {}

impl wit::HostTree for State {
    fn entries(&mut self, _: Resource<Handle>, directory: String) -> Answer<Vec<wit::Entry>> {
        let entries = self.source()?.entries(&directory);
        Ok(entries.map(|entries| entries.into_iter().map(entry_to_wit).collect()).map_err(problem_to_wit))
    }

    fn look_at(&mut self, _: Resource<Handle>, path: String) -> Answer<Option<wit::Entry>> {
        let entry = self.source()?.look_at(&path);
        Ok(entry.map(|entry| entry.map(entry_to_wit)).map_err(problem_to_wit))
    }

    fn read(&mut self, _: Resource<Handle>, path: String, limit: u32) -> Answer<Vec<u8>> {
        Ok(self.source()?.read(&path, limit.min(MOST_BYTES)).map_err(problem_to_wit))
    }

    fn link_target(&mut self, _: Resource<Handle>, path: String) -> Answer<String> {
        Ok(self.source()?.link_target(&path).map_err(problem_to_wit))
    }

    /// Walks the whole tree, and does so beside the executor.
    async fn find(&mut self, _: Resource<Handle>, glob: String, limit: u32) -> Answer<Vec<String>> {
        let tree = self.source()?.clone();
        let walk = tokio::task::spawn_blocking(move || tree.find(&glob, limit.min(MOST_PATHS))).await;
        let ended = |_| Err(Problem::new(ProblemKind::Internal, "walk-ended", "the walk through the tree was ended"));
        Ok(walk.unwrap_or_else(ended).map_err(problem_to_wit))
    }

    fn drop(&mut self, tree: Resource<Handle>) -> wasmtime::Result<()> {
        self.handles.delete(tree)?;
        Ok(())
    }
}

fn entry_to_wit(listed: Listed) -> wit::Entry {
    let kind = match listed.kind {
        ListedKind::File => wit::EntryKind::File,
        ListedKind::Directory => wit::EntryKind::Directory,
        ListedKind::Symlink => wit::EntryKind::Symlink,
    };
    wit::Entry { name: listed.name, kind, size: listed.size, executable: listed.executable }
}
