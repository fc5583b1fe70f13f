//! What only this engine's builder and commit want of a Dockerfile; [`sti_core::dockerfile`] writes the instructions.

use bollard::models::ContainerConfig;
use sti_core::{
    dockerfile::{Dockerfile, Unwritable},
    plan::ContentId,
};

/// The name of a content's directory in the build context.
pub(crate) fn context_name(content: ContentId) -> String {
    format!("content-{}", content.0)
}

/// A whole configuration as instructions, for an engine whose commit reads nothing else: Podman's, which takes one pair of quotes away
/// and everything between them as it stands.
pub(crate) fn changes(config: &ContainerConfig) -> Result<String, Unwritable> {
    let mut file = Dockerfile::default();
    for pair in config.env.iter().flatten() {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        file.verbatim("ENV", name, value)?;
    }
    for (name, value) in config.labels.iter().flatten() {
        file.verbatim("LABEL", name, value)?;
    }
    for port in config.exposed_ports.iter().flatten() {
        file.expose(port)?;
    }
    file.working_directory(config.working_dir.as_deref().unwrap_or_default())?;
    file.user(config.user.as_deref().unwrap_or_default())?;
    file.entrypoint(config.entrypoint.as_deref().unwrap_or_default());
    file.command(config.cmd.as_deref().unwrap_or_default());
    // An empty line counts as a malformed instruction there.
    Ok(file.into_text().trim_end().to_owned())
}
