//! A whole document, fetched into a file: resumed where a line breaks, counted against a limit, and hashed over the bytes as they came.

use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, HeaderValue, IF_RANGE, RANGE, RETRY_AFTER};
use sha2::{Digest, Sha256};
use sti_core::{
    Blob,
    digest::hexadecimal,
    progress::{Event, Level},
    spool,
};
use tokio::time::sleep;

use crate::Network;
use crate::error::Error;
use crate::judge::judge;
use crate::place::shown;
use crate::request::Sendable;
use crate::response::Response;
use crate::resume::{Resume, continues};
use crate::timeouts::{Pace, RETRIES};
use crate::validators::{Validators, may_be_kept};

/// After so much progress a break counts as the first.
const PROGRESS: u64 = 1024 * 1024;
/// The longest that a server can have us wait before we try again.
const LONGEST_WAIT: u64 = 10;
/// How often progress is told.
const TELL_EVERY: u64 = 512 * 1024;

/// A document that is there as a whole.
#[derive(Debug)]
pub struct Download {
    blob: Blob,
    sha256: String,
    came: Came,
}

/// What an answer said of the document that it held.
#[derive(Debug)]
struct Came {
    url: String,
    validators: Option<Validators>,
    may_be_kept: bool,
}

impl Download {
    /// The bytes. Their file has no name and is gone when nobody reads them any more.
    pub fn blob(&self) -> &Blob {
        &self.blob
    }

    /// The digest of the bytes as they came, in hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The address after redirects.
    pub fn url(&self) -> &str {
        &self.came.url
    }

    /// What tells whether it is still the same, where its server says so.
    pub fn validators(&self) -> Option<&Validators> {
        self.came.validators.as_ref()
    }

    /// Whether it may be kept for whoever asks for the same address: its server does not forbid it, and no login was needed.
    pub fn may_be_kept(&self) -> bool {
        self.came.may_be_kept
    }
}

/// Why an attempt ended before the document did.
enum Stop {
    ForGood(Error),
    ForNow(Error, Option<Duration>),
}

impl Network {
    /// Fetches a whole document. Any status but 200 is an error.
    pub async fn download(&self, url: &str) -> Result<Download, Error> {
        let asked = Sendable::get(url)?;
        let unchanged = || Error::Unexpected { url: shown(&asked.url), status: 304 };
        self.fetch(&asked, None).await?.ok_or_else(unchanged)
    }

    /// The same, and nothing where the document is still the one that came with these.
    pub async fn download_if_changed(&self, url: &str, known: &Validators) -> Result<Option<Download>, Error> {
        self.fetch(&Sendable::get(url)?, Some(known)).await
    }

    /// Says whether an address may be asked at all, without asking.
    pub fn judge(&self, url: &str) -> Result<(), Error> {
        let origin = Sendable::get(url)?.origin()?;
        judge(&*self.grants, &origin).map(drop).map_err(|error| self.worded(&origin, error))
    }

    async fn fetch(&self, asked: &Sendable, known: Option<&Validators>) -> Result<Option<Download>, Error> {
        let mut unfinished = Unfinished::new(spool::file(&self.spool).map_err(failed)?, known);
        let mut retry = 0;
        loop {
            let before = unfinished.size;
            let (error, wait) = match self.continue_download(asked, &mut unfinished).await {
                Ok(Some(came)) => return unfinished.finish(came).map(Some),
                Ok(None) => return Ok(None),
                Err(Stop::ForGood(error)) => return Err(error),
                Err(Stop::ForNow(error, wait)) => (error, wait),
            };
            retry = if unfinished.size >= before + PROGRESS { 0 } else { retry };
            if retry == RETRIES {
                return Err(error);
            }
            self.progress.say(Level::Info, format!("{error}; trying again"));
            sleep(wait.unwrap_or_else(|| self.timeouts.before(retry))).await;
            retry += 1;
        }
    }

    /// Fetches what is missing; answers with what was said of it, and with nothing where it is known already.
    async fn continue_download(&self, asked: &Sendable, unfinished: &mut Unfinished<'_>) -> Result<Option<Came>, Stop> {
        let mut response = self.exchange(unfinished.request(asked)).await.map_err(Stop::ForGood)?;
        match response.status() {
            200 => unfinished.begin(&response)?,
            304 if unfinished.known.is_some() => match unfinished.known.take() {
                Some(known) if known.are_of(&response) => return Ok(None),
                _ => return Err(changed(asked)),
            },
            206 if unfinished.size > 0 && continues(&response, unfinished.size, unfinished.total) => {}
            206 | 416 if unfinished.size > 0 => {
                unfinished.resume = None;
                return Err(changed(asked));
            }
            _ => return Err(refusal(&response)),
        }
        self.receive(&mut response, unfinished).await?;
        match unfinished.total {
            Some(total) if unfinished.size < total => {
                let why = format!("{} of {total} bytes came", unfinished.size);
                Err(Stop::ForNow(Error::BrokenOff { from: response.shown_url(), why }, None))
            }
            _ => Ok(Some(Came {
                url: response.url().to_owned(),
                validators: Validators::of(&response),
                may_be_kept: may_be_kept(&response),
            })),
        }
    }

    async fn receive(&self, response: &mut Response, unfinished: &mut Unfinished<'_>) -> Result<(), Stop> {
        let from = response.shown_url();
        let too_large = || Stop::ForGood(Error::TooLarge { url: from.clone(), limit: self.download_limit });
        // The sum counts: many downloads fill a disk as one does.
        let left = self.download_limit.saturating_sub(self.downloaded.load(Ordering::Relaxed));
        if unfinished.total.is_some_and(|total| total.saturating_sub(unfinished.size) > left) {
            return Err(too_large());
        }
        let for_now = |error| Stop::ForNow(error, None);
        let (mut pace, mut told) = (Pace::new(self.timeouts.idle), unfinished.size);
        while let Some(piece) = response.next_piece().await.map_err(for_now)? {
            let length = piece.len() as u64;
            if self.downloaded.fetch_add(length, Ordering::Relaxed).saturating_add(length) > self.download_limit {
                return Err(too_large());
            }
            unfinished.append(&piece)?;
            pace.count(&from, piece.len()).map_err(for_now)?;
            if unfinished.size >= told + TELL_EVERY {
                told = unfinished.size;
                self.progress.tell(Event::Amount { what: format!("download of {from}"), done: told, total: unfinished.total });
            }
        }
        Ok(())
    }
}

/// What is there of a document.
struct Unfinished<'k> {
    file: File,
    size: u64,
    hash: Sha256,
    total: Option<u64>,
    resume: Option<Resume>,
    /// What an earlier state of it is told by; nothing as soon as this one is another.
    known: Option<&'k Validators>,
}

impl<'k> Unfinished<'k> {
    fn new(file: File, known: Option<&'k Validators>) -> Self {
        Self { file, size: 0, hash: Sha256::new(), total: None, resume: None, known }
    }

    /// Asks for what is missing, if the document is still the same; without anything to tell that by, for all of it.
    fn request(&self, asked: &Sendable) -> Sendable {
        let mut request = asked.clone();
        request.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(Resume(same)) = self.resume.as_ref().filter(|_| self.size > 0) {
            request.headers.insert(RANGE, text(format_args!("bytes={}-", self.size)));
            request.headers.insert(IF_RANGE, same.clone());
        } else if let Some(known) = self.known {
            known.ask(&mut request.headers);
        }
        request
    }

    /// Begins from the first byte, whatever was there.
    fn begin(&mut self, response: &Response) -> Result<(), Stop> {
        self.file.set_len(0).map_err(|error| Stop::ForGood(failed(error)))?;
        self.known = None;
        self.size = 0;
        self.hash = Sha256::new();
        self.total = response.header("content-length").and_then(|length| length.parse().ok());
        self.resume = Resume::of(response);
        Ok(())
    }

    fn append(&mut self, piece: &Bytes) -> Result<(), Stop> {
        self.file.write_all_at(piece, self.size).map_err(|error| Stop::ForGood(failed(error)))?;
        self.hash.update(piece);
        self.size += piece.len() as u64;
        Ok(())
    }

    fn finish(self, came: Came) -> Result<Download, Error> {
        let sha256 = hexadecimal(&self.hash.finalize());
        let blob = Blob::of(self.file).map_err(failed)?.identified(&format!("sha256:{sha256}"));
        Ok(Download { blob, sha256, came })
    }
}

fn changed(asked: &Sendable) -> Stop {
    Stop::ForNow(Error::BrokenOff { from: shown(&asked.url), why: "it changed on the way".to_owned() }, None)
}

fn refusal(response: &Response) -> Stop {
    let (url, status) = (response.shown_url(), response.status());
    match status {
        404 | 410 => Stop::ForGood(Error::NotFound { url, status }),
        401 | 403 => Stop::ForGood(Error::AccessDenied { url, status }),
        429 | 500 | 502 | 503 | 504 => {
            let wait = response.header(RETRY_AFTER.as_str()).and_then(|seconds| seconds.parse::<u64>().ok());
            Stop::ForNow(Error::Unexpected { url, status }, wait.map(|wait| Duration::from_secs(wait.min(LONGEST_WAIT))))
        }
        _ => Stop::ForGood(Error::Unexpected { url, status }),
    }
}

fn text(arguments: fmt::Arguments<'_>) -> HeaderValue {
    HeaderValue::from_str(&arguments.to_string()).unwrap_or_else(|_| HeaderValue::from_static("bytes=0-"))
}

#[expect(clippy::needless_pass_by_value, reason = "made to be given to `map_err`")]
fn failed(error: std::io::Error) -> Error {
    Error::Spool { why: error.to_string() }
}
