//! How the engine in memory finds a secret in an image.

use sti_core::Needles;

use super::{FakeImage, NodeKind};
use crate::Trace;

/// The first trace of a secret that an image has beyond its bases.
pub(super) fn trace(image: &FakeImage, bases: &[&FakeImage], needles: &Needles) -> Option<Trace> {
    let found = |secret: &str, place: String| Trace { secret: secret.to_owned(), place };
    for (path, node) in image.files.sorted() {
        if bases.iter().any(|base| base.files.get(path) == Some(node)) {
            continue;
        }
        let held = match &node.kind {
            NodeKind::File { bytes, .. } => needles.in_bytes(bytes),
            NodeKind::Symlink(target) => needles.in_bytes(target),
            NodeKind::Directory => None,
        };
        if let Some(secret) = held {
            return Some(found(secret, format!("/{}", String::from_utf8_lossy(path))));
        }
        if let Some(secret) = needles.in_bytes(path) {
            return Some(found(secret, "the name of a file".to_owned()));
        }
    }
    let said = |image: &FakeImage| -> Vec<String> {
        let pairs = image.environment.iter().chain(&image.labels).flat_map(|(name, value)| [name.clone(), value.clone()]);
        pairs.chain(image.entrypoint.iter().chain(&image.command).cloned()).chain([image.user.clone()]).collect()
    };
    let known: Vec<String> = bases.iter().flat_map(|base| said(base)).collect();
    let new = said(image).into_iter().filter(|word| !known.contains(word));
    new.into_iter().find_map(|word| Some(found(needles.in_bytes(word.as_bytes())?, "its configuration".to_owned())))
}
