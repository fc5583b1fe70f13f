//! Looks for secrets in an image: in the layers that it has beyond others, and in what it says of itself.
//!
//! The engine exports the image whole, as `docker save` does, and it is looked through as it comes. Which of its files is which layer
//! stands at the end, so all are looked through, and what is found in a layer of a base is dropped.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
};

use flate2::read::MultiGzDecoder;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use sti_core::{ImageId, Needles};
use sti_engine::{Error, Trace, archive};

use crate::{DockerEngine, failures::Failure};

const MANIFEST: &str = "manifest.json";
/// More than any manifest or configuration has.
const LONGEST_DOCUMENT: u64 = 4 << 20;
const PIECE: usize = 128 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Links from one layer to the file of another go no deeper.
const MOST_LINKS: usize = 8;

/// What an image is made of, as far as it may hold a secret.
struct Makings {
    /// Digests of its layers.
    layers: Vec<String>,
    /// What it and its history say.
    words: BTreeSet<String>,
}

/// What an image has beyond its bases.
struct Beyond {
    /// The numbers of its own layers.
    layers: std::ops::Range<usize>,
    /// What the bases say of themselves.
    known: BTreeSet<String>,
}

/// A file of an export.
enum Seen {
    /// A layer, or nothing of the kind; with what was found in it.
    Tar(Option<Trace>),
    /// A configuration, or another document about the image.
    Document(Value),
    /// It is no tar that can be looked through.
    Unreadable(String),
    /// It stands for another one.
    Link(String),
}

/// One image of `manifest.json`, as the image specification of Docker has it, version 1.2.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    layers: Vec<String>,
}

impl DockerEngine {
    /// The first trace of a secret in what an image has beyond others.
    pub(crate) async fn search_image(
        &self,
        image: &ImageId,
        beyond: &[ImageId],
        needles: &Needles,
    ) -> Result<Option<Trace>, Error> {
        let makings = self.makings_of(image).await?;
        let (mut shared, mut known) = (0, BTreeSet::new());
        for base in beyond {
            let base = self.makings_of(base).await?;
            let same = makings.layers.iter().zip(&base.layers).take_while(|(own, other)| own == other).count();
            // Only an image that is a base as a whole has nothing of this build in its layers.
            if same == base.layers.len() {
                shared = shared.max(same);
            }
            known.extend(base.words);
        }
        if let Some(trace) = said(&makings.words, &known, needles) {
            return Ok(Some(trace));
        }
        let beyond = Beyond { layers: shared..makings.layers.len(), known };
        self.search_export(image, beyond, needles).await
    }

    async fn makings_of(&self, image: &ImageId) -> Result<Makings, Error> {
        let id = image.as_str();
        let ask = || self.requests.quick().inspect_image(id);
        let found = self.requests.ask(format!("GET /images/{id}/json"), ask).await.map_err(Failure::plain)?;
        let ask = || self.requests.quick().image_history(id);
        let history = self.requests.ask(format!("GET /images/{id}/history"), ask).await.map_err(Failure::plain)?;
        let mut words = BTreeSet::new();
        collect(&serde_json::to_value(found.config).unwrap_or_default(), &mut words);
        words.extend([found.comment, found.author].into_iter().flatten());
        words.extend(history.into_iter().flat_map(|layer| [layer.created_by, layer.comment]));
        Ok(Makings { layers: found.root_fs.and_then(|root| root.layers).unwrap_or_default(), words })
    }

    async fn search_export(&self, image: &ImageId, beyond: Beyond, needles: &Needles) -> Result<Option<Trace>, Error> {
        let request = format!("GET /images/{image}/get");
        self.requests.begin(&request);
        let export = archive::blocking_reader(self.requests.patient().export_image(image.as_str()).boxed());
        let refused = |why: String| Error::Refused { request: request.clone(), why };
        // The needles live as long as the build, and threads may live longer: they get their own.
        let own = needles.clone();
        let looked = tokio::task::spawn_blocking(move || look_through(export, &own)).await;
        let (seen, manifest) = looked
            .map_err(|error| refused(error.to_string()))?
            .map_err(|error| refused(format!("the export broke off: {error}")))?;
        let listed: Vec<Listed> = serde_json::from_slice(&manifest).map_err(|error| refused(format!("{MANIFEST}: {error}")))?;
        let [Listed { config, layers }] = listed.as_slice() else {
            return Err(refused(format!("{MANIFEST} lists {} images", listed.len())));
        };
        if layers.len() != beyond.layers.end {
            return Err(refused(format!("{MANIFEST} lists {} layers, and the image has {}", layers.len(), beyond.layers.end)));
        }
        // An export says more than an answer does, such as what the container was that an image was made of.
        let Some(Seen::Document(config)) = seen.get(&normal(config)) else {
            return Err(refused(format!("the configuration `{config}` is not in the export")));
        };
        let mut words = BTreeSet::new();
        collect(config, &mut words);
        if let Some(trace) = said(&words, &beyond.known, needles) {
            return Ok(Some(trace));
        }
        for layer in &layers[beyond.layers] {
            match found_in(layer, &seen) {
                Ok(None) => {}
                Ok(Some(trace)) => return Ok(Some(trace.clone())),
                Err(why) => return Err(refused(format!("the layer `{layer}` cannot be searched for secrets: {why}"))),
            }
        }
        Ok(None)
    }
}

/// A secret in what an image says and its bases do not.
fn said(words: &BTreeSet<String>, known: &BTreeSet<String>, needles: &Needles) -> Option<Trace> {
    let secret = words.difference(known).find_map(|word| needles.in_bytes(word.as_bytes()))?;
    Some(Trace { secret: secret.to_owned(), place: "its configuration".to_owned() })
}

/// Every text of a document, the names of its fields included: labels are some.
fn collect(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(words.insert(text.clone())),
        Value::Array(values) => values.iter().for_each(|value| collect(value, words)),
        Value::Object(fields) => {
            for (name, value) in fields {
                words.insert(name.clone());
                collect(value, words);
            }
        }
        _ => {}
    }
}

fn found_in<'a>(layer: &str, seen: &'a BTreeMap<String, Seen>) -> Result<Option<&'a Trace>, String> {
    let mut name = normal(layer);
    for _ in 0..MOST_LINKS {
        match seen.get(&name) {
            None => return Err("it is not in the export".to_owned()),
            Some(Seen::Unreadable(why)) => return Err(why.clone()),
            Some(Seen::Document(_)) => return Err("it is a document".to_owned()),
            Some(Seen::Tar(trace)) => return Ok(trace.as_ref()),
            Some(Seen::Link(target)) => {
                name = normal(&format!("{}/{target}", name.rsplit_once('/').map_or("", |(above, _)| above)));
            }
        }
    }
    Err("it is a link to a link".to_owned())
}

fn normal(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// All files of an export, and its manifest.
fn look_through(export: impl Read, needles: &Needles) -> io::Result<(BTreeMap<String, Seen>, Vec<u8>)> {
    let (mut seen, mut manifest) = (BTreeMap::new(), Vec::new());
    for entry in tar::Archive::new(export).entries()? {
        let mut entry = entry?;
        let name = normal(&String::from_utf8_lossy(&entry.path_bytes()));
        match entry.header().entry_type() {
            tar::EntryType::Symlink => {
                let target = String::from_utf8_lossy(&entry.link_name_bytes().unwrap_or_default()).into_owned();
                seen.insert(name, Seen::Link(target));
            }
            tar::EntryType::Link => {
                let target = String::from_utf8_lossy(&entry.link_name_bytes().unwrap_or_default()).into_owned();
                let up = "../".repeat(name.matches('/').count());
                seen.insert(name, Seen::Link(format!("{up}{target}")));
            }
            kind if !kind.is_file() => {}
            _ if name == MANIFEST => drop(entry.take(LONGEST_DOCUMENT).read_to_end(&mut manifest)?),
            _ => drop(seen.insert(name, file(&mut entry, needles))),
        }
    }
    Ok((seen, manifest))
}

/// A layer may be compressed; other files of an export are documents, or nothing that anybody will ask for.
fn file(bytes: &mut impl Read, needles: &Needles) -> Seen {
    let mut first = Vec::new();
    let looked = bytes.by_ref().take(GZIP.len() as u64).read_to_end(&mut first).and_then(|_| {
        if first.starts_with(b"{") {
            bytes.by_ref().take(LONGEST_DOCUMENT).read_to_end(&mut first)?;
        }
        if let Ok(document) = serde_json::from_slice(&first) {
            return Ok(Seen::Document(document));
        }
        let is_gzip = first.starts_with(&GZIP);
        let whole = first.as_slice().chain(bytes);
        let trace = if is_gzip { layer(MultiGzDecoder::new(whole), needles) } else { layer(whole, needles) };
        trace.map(Seen::Tar)
    });
    looked.unwrap_or_else(|error| Seen::Unreadable(error.to_string()))
}

/// The first trace of a secret in a layer.
fn layer(bytes: impl Read, needles: &Needles) -> io::Result<Option<Trace>> {
    let mut piece = vec![0; PIECE];
    for entry in tar::Archive::new(bytes).entries()? {
        let mut entry = entry?;
        let path = entry.path_bytes().into_owned();
        let trace = |secret: &str, place: String| Ok(Some(Trace { secret: secret.to_owned(), place }));
        if let Some(secret) = needles.in_bytes(&path) {
            return trace(secret, "the name of a file".to_owned());
        }
        let place = format!("/{}", String::from_utf8_lossy(&path).trim_matches('/').escape_debug());
        if let Some(secret) = found_beside(&mut entry, needles)? {
            return trace(&secret, place);
        }
        let mut search = needles.search();
        loop {
            match entry.read(&mut piece)? {
                0 => break,
                count => {
                    if let Some(secret) = search.feed(&piece[..count]) {
                        return trace(secret, place);
                    }
                }
            }
        }
    }
    Ok(None)
}

/// A secret in what a link leads to, or in an extended attribute.
fn found_beside<R: Read>(entry: &mut tar::Entry<'_, R>, needles: &Needles) -> io::Result<Option<String>> {
    if let Some(secret) = entry.link_name_bytes().and_then(|target| needles.in_bytes(&target)) {
        return Ok(Some(secret.to_owned()));
    }
    for extension in entry.pax_extensions()?.into_iter().flatten() {
        if let Some(secret) = needles.in_bytes(extension?.value_bytes()) {
            return Ok(Some(secret.to_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use sti_core::Secret;

    use super::*;

    fn needles() -> Needles {
        Needles::of([(&"token".to_owned(), &Secret::value(b"s3cr3t-v4lue".to_vec()))])
    }

    fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, path, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// What is found in a layer of an export; an error where it cannot be searched.
    fn check_layer(name: &str, export: &[(&str, &[u8])], expected: Result<Option<&str>, &str>) {
        let (seen, manifest) = look_through(tar_of(export).as_slice(), &needles()).unwrap();
        assert_eq!(manifest, b"[]");
        let found = found_in(name, &seen).map(|trace| trace.map(|trace| trace.place.clone()));
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.as_deref(), expected, "{name}"),
            (Err(why), Err(expected)) => assert!(why.contains(expected), "{name}: {why}"),
            (found, _) => panic!("{name}: {found:?}"),
        }
    }

    #[test]
    fn looks_into_layers_plain_and_compressed_and_into_no_other_file() {
        let clean = tar_of(&[("app/x", b"nothing")]);
        let mut long = vec![b'x'; PIECE - 4];
        long.extend_from_slice(b"s3cr3t-v4lue");
        let leaking = tar_of(&[("app/x", b"nothing"), ("app/y\n", &long)]);
        let zipped = gzipped(&leaking);
        let export: &[(&str, &[u8])] = &[
            ("a/layer.tar", &clean),
            ("b/layer.tar", &leaking),
            ("blobs/sha256/c", &zipped),
            ("repositories", b"{\"s3cr3t-v4lue\": 1}"),
            ("manifest.json", b"[]"),
        ];
        check_layer("a/layer.tar", export, Ok(None));
        check_layer("b/layer.tar", export, Ok(Some("/app/y\\n")));
        check_layer("blobs/sha256/c", export, Ok(Some("/app/y\\n")));
        check_layer("repositories", export, Err("it is a document"));
        check_layer("d/layer.tar", export, Err("not in the export"));
    }

    #[test]
    fn a_layer_that_cannot_be_read_is_no_clean_one() {
        let leaking = tar_of(&[("app/y", b"s3cr3t-v4lue")]);
        let export: &[(&str, &[u8])] =
            &[("half", &leaking[..600]), ("zstd", b"\x28\xb5\x2f\xfd0123456789"), ("manifest.json", b"[]")];
        check_layer("half", export, Ok(Some("/app/y")));
        check_layer("zstd", export, Err(""));
        let long: Vec<u8> = tar_of(&[("app/y", &[b'x'; 4096])]);
        check_layer("cut", &[("cut", &long[..1024]), ("manifest.json", b"[]")], Err(""));
    }

    #[test]
    fn follows_links_between_layers() {
        let seen = BTreeMap::from([
            ("a/layer.tar".to_owned(), Seen::Link("../b/layer.tar".to_owned())),
            ("b/layer.tar".to_owned(), Seen::Tar(None)),
            ("c".to_owned(), Seen::Link("c".to_owned())),
        ]);
        assert!(matches!(found_in("./a/layer.tar", &seen), Ok(None)));
        assert!(found_in("c", &seen).is_err());
    }
}
