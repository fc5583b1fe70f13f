//! What must hold of whatever a fetcher answers.

use sti_plugin::{EntryKind, Problem, ProblemKind, Tree, testing::Fetched};

/// How many entries and bytes the tree of a target takes; a host's own limits are larger.
pub(crate) const MOST_ENTRIES: u64 = 2_000;
pub(crate) const MOST_BYTES: u64 = 24 << 20;

/// Holds an answer, and what was written before it, against what a host relies on.
pub(crate) fn check(fetched: &Fetched) {
    if let Err(problem) = &fetched.result {
        check_problem(problem);
    }
    let tree = fetched.tree.open();
    for path in tree.find("**", u32::MAX).expect("a glob") {
        check_path(&tree, &path);
    }
    for line in &fetched.log {
        assert!(line.text.len() < 1 << 16, "a line of the log has {} bytes", line.text.len());
    }
}

/// A problem is somebody's fault other than ours, and short. What of it cannot be shown, the host takes out.
pub(crate) fn check_problem(problem: &Problem) {
    assert!(problem.kind() != ProblemKind::Internal, "{problem:?}");
    assert!(problem.code() != "invalid-path", "the fetcher judges paths before the host does: {problem:?}");
    for text in [Some(problem.message()), problem.hinted()].into_iter().flatten() {
        assert!(text.len() < 1 << 16, "nobody reads {} bytes", text.len());
    }
}

fn check_path(tree: &Tree, path: &str) {
    assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0')), "{path:?} is written");
    for (slash, _) in path.match_indices('/') {
        let parent = tree.look_at(&path[..slash]).expect("a normal path").expect("a parent");
        assert!(parent.kind == EntryKind::Directory, "{path:?} lies below what is no directory");
    }
}
