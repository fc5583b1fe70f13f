//! Makes an image forget what its container was given only to run.
//!
//! A commit keeps the name of each variable of its container, and Docker before version 26 keeps the whole configuration of the container
//! beside the image's own, values and all. So the image is described anew: a configuration of our own over the layers that the engine
//! has already, taken in as `docker load` takes one in, without any layer. Where an engine wants the layers all the same, it says no.

use bollard::{
    body_full,
    models::{ImageConfig, ImageHistoryResponseItem, ImageInspect},
    query_parameters::ImportImageOptionsBuilder,
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use sti_core::{ImageId, digest, plan::Run};
use sti_engine::Error;

use crate::{DockerEngine, failures::Failure, image_config};

impl DockerEngine {
    /// Whether a commit would keep what the container was given only to run.
    pub(crate) fn must_forget(run: &Run, product: &ImageConfig) -> bool {
        let kept = product.env.as_deref().unwrap_or_default();
        let is_kept = |name: &str| kept.iter().any(|pair| image_config::name_of(pair) == name);
        run.environment.iter().any(|variable| !is_kept(&variable.name))
    }

    /// The same image, saying nothing but `product` of itself; `None` where the engine cannot have it so.
    pub(crate) async fn described_anew(&self, image: &ImageId, product: &ImageConfig) -> Result<Option<ImageId>, Error> {
        let id = image.as_str();
        let ask = || self.requests.quick().inspect_image(id);
        let found = self.requests.ask(format!("GET /images/{id}/json"), ask).await.map_err(Failure::plain)?;
        let ask = || self.requests.quick().image_history(id);
        let history = self.requests.ask(format!("GET /images/{id}/history"), ask).await.map_err(Failure::plain)?;
        let config = serde_json::to_vec(&configuration(&found, &history, product)).unwrap_or_default();
        let layers = layers_of(&found).len();
        let described = ImageId(format!("sha256:{}", digest::sha256(&config)));
        let name = format!("{}.json", digest::sha256(&config));
        let manifest = json!([{ "Config": name, "RepoTags": null, "Layers": vec!["kept/layer.tar"; layers] }]);
        let tar = tar_of(&[(&name, &config), ("manifest.json", &serde_json::to_vec(&manifest).unwrap_or_default())]);
        let loaded = async {
            let options = ImportImageOptionsBuilder::new().quiet(true).build();
            let mut answers = self.requests.patient().import_image(options, body_full(tar.into()), None);
            while let Some(answer) = answers.next().await {
                answer?;
            }
            Ok(())
        };
        self.ledger.image(&described);
        match self.requests.send("POST /images/load", loaded).await {
            Err(failure) if failure.is_connection() => return Err(failure.plain()),
            Err(_) => return Ok(None),
            Ok(()) => {}
        }
        match self
            .requests
            .ask(format!("GET /images/{described}/json"), || self.requests.quick().inspect_image(described.as_str()))
            .await
        {
            Ok(_) => Ok(Some(described)),
            Err(failure) if failure.is_connection() => Err(failure.plain()),
            Err(_) => Ok(None),
        }
    }
}

/// As the image specification has it, version 1.2 of Docker's, which that of the Open Container Initiative grew out of.
fn configuration(found: &ImageInspect, history: &[ImageHistoryResponseItem], product: &ImageConfig) -> Value {
    let layers = layers_of(found);
    let mut config = json!({
        "architecture": found.architecture,
        "config": product,
        "created": found.created,
        "history": history_of(history, layers.len()),
        "os": found.os,
        "rootfs": { "type": "layers", "diff_ids": layers },
    });
    for (name, value) in [("variant", &found.variant), ("os.version", &found.os_version), ("author", &found.author)] {
        if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
            config[name] = json!(value);
        }
    }
    config
}

fn layers_of(found: &ImageInspect) -> &[String] {
    found.root_fs.as_ref().and_then(|root| root.layers.as_deref()).unwrap_or_default()
}

/// The history from its beginning. An engine does not tell which of its steps made a layer: those with bytes did, and of the others as
/// many as are missing, first those that Docker's own builder did not mark as words about the image only.
fn history_of(newest_first: &[ImageHistoryResponseItem], layers: usize) -> Vec<Value> {
    let mut by_likelihood: Vec<usize> = (0..newest_first.len()).collect();
    by_likelihood.sort_by_key(|index| {
        let step = &newest_first[*index];
        let is_marked = step.created_by.contains("#(nop)");
        let copies = ["ADD", "COPY", "WORKDIR"].iter().any(|word| step.created_by.contains(word));
        (step.size == 0, is_marked && !copies, is_marked)
    });
    let layered = &by_likelihood[..layers.min(by_likelihood.len())];
    let written = |(index, step): (usize, &ImageHistoryResponseItem)| {
        let created = jiff::Timestamp::from_second(step.created).unwrap_or_default().to_string();
        let mut written = json!({ "created": created, "created_by": step.created_by, "comment": step.comment });
        if !layered.contains(&index) {
            written["empty_layer"] = json!(true);
        }
        written
    };
    newest_first.iter().enumerate().map(written).rev().collect()
}

fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        // In memory nothing fails.
        let _written = builder.append_data(&mut header, path, *bytes);
    }
    builder.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(created_by: &str, size: i64) -> ImageHistoryResponseItem {
        ImageHistoryResponseItem { created_by: created_by.to_owned(), size, ..ImageHistoryResponseItem::default() }
    }

    /// The steps that are taken to have made no layer, the oldest first.
    fn check_empty(newest_first: &[ImageHistoryResponseItem], layers: usize, expected: &[&str]) {
        let history = history_of(newest_first, layers);
        let empty = history.iter().filter(|step| step["empty_layer"] == true);
        let empty: Vec<_> = empty.filter_map(|step| step["created_by"].as_str()).collect();
        assert_eq!(empty, expected);
    }

    #[test]
    fn as_many_steps_have_layers_as_there_are() {
        let steps = [
            step("", 5),
            step("/bin/sh -c #(nop) CMD [\"x\"]", 0),
            step("/bin/sh -c #(nop) WORKDIR /app", 0),
            step("/bin/sh -c true", 0),
            step("/bin/sh -c #(nop) ADD file:1 in /", 9),
        ];
        let (command, directory, run) = ("/bin/sh -c #(nop) CMD [\"x\"]", "/bin/sh -c #(nop) WORKDIR /app", "/bin/sh -c true");
        check_empty(&steps, 2, &[run, directory, command]);
        check_empty(&steps, 3, &[directory, command]);
        check_empty(&steps, 4, &[command]);
        check_empty(&steps, 9, &[]);
    }
}
