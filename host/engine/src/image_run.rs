//! An image that is run as it says itself, and how that ends.

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;
use sti_core::{ImageId, Progress, plan::Network};

use crate::Exit;

/// How long a command may take to end once it was asked to.
pub const GRACE: Duration = Duration::from_secs(5);

/// An image to be run by its own entrypoint and command, as its own user. Nothing is given to it, and none of its ports is published.
pub struct ImageRun<'a> {
    /// Which.
    pub image: &'a ImageId,
    /// What it is called.
    pub name: &'a str,
    /// What it reaches.
    pub network: Network,
    /// Where it is told what it prints.
    pub progress: &'a dyn Progress,
    /// Once this is done, the command is asked to end, and killed where it does not within [`GRACE`].
    pub stop: BoxFuture<'a, ()>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// How its command ended.
    pub exit: Exit,
    /// The last lines that it printed, oldest first.
    pub last_lines: Vec<String>,
}

impl fmt::Debug for ImageRun<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image, name, network, .. } = self;
        formatter.debug_struct("ImageRun").field("image", image).field("name", name).field("network", network).finish()
    }
}
