//! Plugins that the site's policy file installs by a path. They are called by name and matched with addresses as the shipped ones are.

use std::path::PathBuf;

use sti_policy::{Origin, PluginIdentity, Policy};
use sti_sandbox::{Component, Kind, Plugin};

use super::{Plugins, identity_of, is_taken, limited};
use crate::StiError;

/// A component that lies where the site's policy file says, and is what it says.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Where it was read from.
    pub path: PathBuf,
    /// `sha256:…` of the bytes.
    pub digest: String,
    /// The component.
    pub bytes: Vec<u8>,
}

impl Plugins {
    /// The plugins that the site installed, each under a name of its own.
    pub(super) async fn installed(&self, policy: &Policy) -> Result<Vec<(Plugin, PluginIdentity)>, StiError> {
        let mut loaded: Vec<(Plugin, PluginIdentity)> = Vec::new();
        for Installed { path, digest, bytes } in &self.installed {
            let shown = path.display().to_string();
            let plugin = self.sandbox.load(Component { shown: &shown, digest: Some(digest), bytes }).await?;
            let identity = identity_of(&plugin, Origin::File(path.clone()));
            policy.vet(&identity)?;
            let is_taken = is_taken(plugin.card()) || loaded.iter().any(|(other, _)| share_a_name(other, &plugin));
            if is_taken {
                return Err(StiError::NameTaken { shown, name: identity.name });
            }
            loaded.push((limited(&plugin, policy.own_limits(&identity)), identity));
        }
        Ok(loaded)
    }

    /// Those of one kind.
    pub(super) async fn installed_of(&self, kind: Kind, policy: &Policy) -> Result<Vec<(Plugin, PluginIdentity)>, StiError> {
        let installed = self.installed(policy).await?;
        Ok(installed.into_iter().filter(|(plugin, _)| plugin.card().kinds.contains(&kind)).collect())
    }
}

fn share_a_name(one: &Plugin, other: &Plugin) -> bool {
    let card = other.card();
    std::iter::once(&card.name).chain(&card.aliases).any(|name| one.card().answers_to(name))
}
