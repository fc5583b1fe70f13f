//! What a plan is wanted for.

/// What a plan is wanted for: it says whether products are asked for or out of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An image under the user's tag, and perhaps others beside it.
    Products,
    /// What a command says of its image. Nothing is made, and nothing gets a name.
    Explanation,
}
