//! A source tree, to be read only: what ignore rules leave out is not there, and no link is ever followed out of it.

/// A source tree. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tree;
