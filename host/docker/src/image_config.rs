//! What an image says of itself: read for the house, changed as a plan asks, and written so that a commit yields exactly that.

use std::collections::{BTreeMap, BTreeSet};

use bollard::models::{ContainerConfig, ImageConfig, ImageInspect};
use sti_core::{
    ImageFacts, ImageId, Reference, Variable,
    plan::{ImageChanges, Run},
};

/// Reads the answer to an inspection.
pub(crate) fn facts(reference: &Reference, id: &ImageId, image: &ImageInspect) -> ImageFacts {
    let config = image.config.clone().unwrap_or_default();
    ImageFacts {
        reference: reference.clone(),
        id: id.clone(),
        platform: platform(image),
        entrypoint: config.entrypoint.unwrap_or_default(),
        command: config.cmd.unwrap_or_default(),
        user: config.user.unwrap_or_default(),
        working_directory: config.working_dir.unwrap_or_default(),
        environment: config.env.unwrap_or_default().iter().map(|pair| Variable::from_pair(pair)).collect(),
        labels: sorted_labels(config.labels.unwrap_or_default()),
        exposed_ports: sorted(config.exposed_ports),
        volumes: sorted(config.volumes),
        triggers: config.on_build.unwrap_or_default(),
    }
}

fn platform(image: &ImageInspect) -> String {
    let parts = [&image.os, &image.architecture, &image.variant];
    let given: Vec<&str> = parts.iter().filter_map(|part| part.as_deref()).filter(|part| !part.is_empty()).collect();
    given.join("/")
}

fn sorted_labels(labels: impl IntoIterator<Item = (String, String)>) -> Vec<Variable> {
    let by_name: BTreeMap<String, String> = labels.into_iter().collect();
    by_name.into_iter().map(|(name, value)| Variable::new(name, value)).collect()
}

fn sorted(values: Option<Vec<String>>) -> Vec<String> {
    values.unwrap_or_default().into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// The configuration of an image that is made from one with `base`.
pub(crate) fn changed(base: &ImageConfig, changes: &ImageChanges) -> ImageConfig {
    let mut config = base.clone();
    if let Some(entrypoint) = &changes.entrypoint {
        config.entrypoint = Some(entrypoint.clone());
    }
    if let Some(command) = &changes.command {
        config.cmd = Some(command.clone());
    }
    if let Some(user) = &changes.user {
        config.user = Some(user.clone());
    }
    if let Some(path) = &changes.working_directory {
        config.working_dir = Some(path.clone());
    }
    config.env = Some(with_variables(base.env.as_deref().unwrap_or_default(), &changes.environment));
    config.labels.get_or_insert_default().extend(changes.labels.iter().map(|label| (label.name.clone(), label.value.clone())));
    let ports = base.exposed_ports.iter().flatten().chain(&changes.expose).cloned().collect();
    config.exposed_ports = Some(sorted(Some(ports)));
    // Triggers are for the next image only: the engine's own builder drops them too.
    config.on_build = None;
    config
}

/// `pairs` with variables set: in place where the name is there, else behind.
pub(crate) fn with_variables(pairs: &[String], variables: &[Variable]) -> Vec<String> {
    let mut pairs = pairs.to_vec();
    for variable in variables {
        let place = pairs.iter().position(|pair| name_of(pair) == variable.name);
        match place {
            Some(index) => pairs[index] = variable.to_pair(),
            None => pairs.push(variable.to_pair()),
        }
    }
    pairs
}

/// The name of a variable as configurations write it.
pub(crate) fn name_of(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(name, _)| name)
}

/// What a commit must be told so that the image says `product`.
///
/// A commit merges what it is told with what the container was made with: an empty word there means "as the container".
/// So whatever the container was given only to run is overruled here by a word that means the same as none.
pub(crate) fn to_commit(product: &ImageConfig, run: &Run) -> ContainerConfig {
    let product = product.clone();
    let env = product.env.unwrap_or_default();
    ContainerConfig {
        user: overruling(product.user, run.user.is_some(), "0"),
        working_dir: overruling(product.working_dir, run.working_directory.is_some(), "/"),
        env: Some(without_values_of_the_run(env, &run.environment)),
        // Set though empty: only a missing entrypoint would be taken from the container.
        entrypoint: Some(product.entrypoint.unwrap_or_default()),
        cmd: Some(product.cmd.unwrap_or_default()),
        exposed_ports: product.exposed_ports,
        volumes: product.volumes,
        labels: product.labels,
        healthcheck: product.healthcheck,
        stop_signal: product.stop_signal,
        shell: product.shell,
        ..ContainerConfig::default()
    }
}

fn overruling(wanted: Option<String>, is_given_to_run: bool, meaning_none: &str) -> Option<String> {
    let wanted = wanted.filter(|word| !word.is_empty());
    wanted.or_else(|| is_given_to_run.then(|| meaning_none.to_owned()))
}

/// A variable of the run that is not to stay cannot be left out of a commit: it stays without its value.
fn without_values_of_the_run(mut env: Vec<String>, of_the_run: &[Variable]) -> Vec<String> {
    for variable in of_the_run {
        if !env.iter().any(|pair| name_of(pair) == variable.name) {
            env.push(format!("{}=", variable.name));
        }
    }
    env
}

#[cfg(test)]
mod tests {
    use super::*;
    use sti_core::plan::Network;

    fn run(environment: Vec<Variable>, user: Option<&str>) -> Run {
        Run { environment, user: user.map(str::to_owned), ..Run::new(vec!["/usr/bin/prepare".to_owned()], Network::None) }
    }

    #[test]
    fn changes_what_is_said_and_keeps_the_rest() {
        let base = ImageConfig {
            env: Some(vec!["PATH=/bin".to_owned(), "A=1".to_owned()]),
            entrypoint: Some(vec!["/init".to_owned()]),
            user: Some("1001".to_owned()),
            exposed_ports: Some(vec!["80/tcp".to_owned()]),
            ..ImageConfig::default()
        };
        let changes = ImageChanges {
            command: Some(vec!["/usr/bin/run".to_owned()]),
            environment: vec![Variable::new("A", "2"), Variable::new("B", "3")],
            expose: vec!["8080/tcp".to_owned()],
            ..ImageChanges::default()
        };
        let config = changed(&base, &changes);
        assert_eq!(config.env, Some(["PATH=/bin", "A=2", "B=3"].map(str::to_owned).to_vec()));
        assert_eq!(config.entrypoint, base.entrypoint);
        assert_eq!(config.cmd, changes.command);
        assert_eq!(config.user, base.user);
        assert_eq!(config.exposed_ports, Some(vec!["80/tcp".to_owned(), "8080/tcp".to_owned()]));
    }

    #[test]
    fn overrules_what_the_container_was_given_only_to_run() {
        let secret = vec![Variable::new("TOKEN", "hush"), Variable::new("KEPT", "run")];
        let product = ImageConfig { env: Some(vec!["KEPT=product".to_owned()]), ..ImageConfig::default() };
        let config = to_commit(&product, &run(secret, Some("1001")));
        assert_eq!(config.env, Some(vec!["KEPT=product".to_owned(), "TOKEN=".to_owned()]));
        assert_eq!(config.user.as_deref(), Some("0"));
        assert_eq!(config.entrypoint, Some(Vec::new()));
        assert_eq!(config.working_dir, None);
    }
}
