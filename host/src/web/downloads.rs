//! Documents that were downloaded before: what a checksum names is not asked for again, and of the rest servers are asked whether it is
//! still the same.
//!
//! What came by a login is not kept: the address alone would lead to it, whoever asks.

use std::sync::Arc;

use serde_json::{Value, json};
use sti_cache::Store;
use sti_core::{Blob, Problem, Progress, digest::sha256, progress::Level};
use sti_network::{Download, Network, Validators};

use crate::pipeline::Checksum;

pub(super) struct Downloads {
    pub(super) store: Option<Arc<Store>>,
    /// The largest download that is granted, in bytes.
    pub(super) most: u64,
    pub(super) checksum: Arc<Checksum>,
    pub(super) progress: Arc<dyn Progress>,
}

/// A document that is kept, and how its server tells whether it is still the same.
struct Known {
    blob: Blob,
    sha256: String,
    validators: Validators,
}

impl Downloads {
    /// Downloads a document, or finds it. What does not have the checksum that was asked for is a problem either way.
    pub(super) async fn download(&self, network: &Network, url: &str) -> Result<Blob, Problem> {
        if let Some(blob) = self.expected() {
            network.judge(url)?;
            return Ok(blob);
        }
        let download = match self.known(url) {
            None => network.download(url).await?,
            Some(known) => match network.download_if_changed(url, &known.validators).await? {
                Some(download) => download,
                None => return self.unchanged(known),
            },
        };
        self.checksum.judge(download.sha256())?;
        self.keep(url, &download);
        Ok(download.blob().clone())
    }

    fn unchanged(&self, known: Known) -> Result<Blob, Problem> {
        self.checksum.judge(&known.sha256)?;
        self.progress.say(Level::Debug, "the server says that it is unchanged: nothing was downloaded".to_owned());
        Ok(known.blob)
    }

    /// What has the checksum that was asked for.
    fn expected(&self) -> Option<Blob> {
        let expected = self.checksum.expected()?;
        let blob = self.bytes(expected)?;
        self.checksum.judge(expected).ok()?;
        Some(blob)
    }

    fn known(&self, url: &str) -> Option<Known> {
        let note = self.store.as_ref()?.note(&key_of(url))?;
        let note: Value = serde_json::from_str(&note).ok()?;
        let text = |name: &str| note[name].as_str().map(str::to_owned);
        let (sha256, place) = (text("sha256")?, text("place")?);
        let validators = Validators { etag: text("etag"), modified: text("modified"), place };
        Some(Known { blob: self.bytes(&sha256)?, sha256, validators })
    }

    fn bytes(&self, sha256: &str) -> Option<Blob> {
        let bytes = self.store.as_ref()?.bytes(sha256).filter(|bytes| bytes.size() <= self.most)?;
        Some(bytes.identified(&format!("sha256:{sha256}")))
    }

    /// What cannot be kept is downloaded again the next time.
    fn keep(&self, url: &str, download: &Download) {
        let Some(store) = self.store.as_ref().filter(|_| download.may_be_kept()) else { return };
        let (sha256, validators) = (download.sha256(), download.validators());
        if validators.is_none() && self.checksum.expected().is_none() {
            // Nobody would find it.
            return;
        }
        let noted = |validators: &Validators| {
            let Validators { etag, modified, place } = validators;
            let note = json!({"sha256": sha256, "etag": etag, "modified": modified, "place": place});
            store.keep_note(&key_of(url), &note.to_string())
        };
        let is_new = store.bytes(sha256).is_none();
        let kept = if is_new { store.keep_bytes(sha256, download.blob()) } else { Ok(()) };
        if let Err(error) = kept.and_then(|()| validators.map_or(Ok(()), noted)) {
            self.progress.say(Level::Debug, format!("cannot keep what was downloaded: {error}"));
        }
    }
}

/// Addresses may hold secrets, and are not written down.
fn key_of(url: &str) -> String {
    sha256(format!("download {url}").as_bytes())
}
