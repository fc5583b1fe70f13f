//! `--scripts-url` turned into a place that the host reads; what lies in an image is for the strategy to find.

use std::{path::Path, sync::Arc};

use cap_std::{ambient_authority, fs::Dir};

use super::{
    args::Fetching,
    request::{checksum, hinted},
    scratch, web,
};
use crate::{ScriptsAddress, ScriptsPlace, StiError};

const HINT: &str = "--scripts-url image:///DIRECTORY, file:///DIRECTORY or https://HOST/DIRECTORY, each with `#sha256=DIGITS` of a SHA256SUMS there";

/// Reads an address of scripts; `None` where it leads into the image, or nowhere that we know.
pub(super) fn address(written: &str, flags: &Fetching) -> Result<Option<ScriptsAddress>, StiError> {
    let (url, fragment) = written.split_once('#').map_or((written, None), |(url, fragment)| (url, Some(fragment)));
    let is_on_a_server = url.starts_with("http://") || url.starts_with("https://");
    if !is_on_a_server && !url.starts_with("file://") {
        return Ok(None);
    }
    let sums = fragment.map(|fragment| sums(written, fragment)).transpose()?;
    let place = if is_on_a_server { server(url, flags)? } else { directory(url)? };
    Ok(Some(ScriptsAddress { written: url.trim_end_matches('/').to_owned(), place, sums }))
}

fn sums(written: &str, fragment: &str) -> Result<String, StiError> {
    match fragment.split_once('=') {
        Some(("sha256", digits)) => checksum(&format!("sha256:{digits}")),
        _ => Err(hinted(format!("`{written}` ends in something else than a digest"), HINT)),
    }
}

fn server(url: &str, flags: &Fetching) -> Result<ScriptsPlace, StiError> {
    let authority = url.split('/').nth(2).unwrap_or_default();
    if authority.is_empty() || url.contains('?') {
        return Err(hinted(format!("`{url}` is no address of a directory"), HINT));
    }
    if authority.contains('@') {
        let what = "a login does not belong into `--scripts-url`, where everybody can read it".to_owned();
        return Err(hinted(what, "put it into ~/.netrc"));
    }
    Ok(ScriptsPlace::Server {
        url: url.trim_end_matches('/').to_owned(),
        web: Arc::new(web::surroundings(None, flags)?),
        spool: Arc::new(scratch::spool()?),
    })
}

fn directory(url: &str) -> Result<ScriptsPlace, StiError> {
    let path = url.strip_prefix("file://").unwrap_or_default();
    if !path.starts_with('/') {
        return Err(hinted(format!("`{url}` is no absolute path of this machine"), HINT));
    }
    match Dir::open_ambient_dir(Path::new(path), ambient_authority()) {
        Ok(dir) => Ok(ScriptsPlace::Directory(Arc::new(dir))),
        Err(error) => Err(hinted(format!("cannot open the directory of scripts `{path}`: {error}"), HINT)),
    }
}
