//! The network as a fetcher reaches it: whoever implements this judges each host, sends, and answers.

use async_trait::async_trait;
use sti_core::{Blob, Problem, Variable};

/// What is sent. Not to be shown: its headers may hold a login that the plugin knows.
#[derive(Clone, PartialEq, Eq)]
pub struct WebRequest {
    /// As the plugin wrote it.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// In the plugin's order.
    pub headers: Vec<Variable>,
    /// At most 4 MiB, which the limit on a call holds.
    pub body: Vec<u8>,
}

/// Servers, as far as a plugin may reach them.
#[async_trait]
pub trait Web: Send + Sync {
    /// Sends a request; answers as soon as the headers are there.
    async fn send(&self, request: WebRequest) -> Result<Box<dyn Answer>, Problem>;

    /// Fetches a whole document.
    async fn download(&self, url: &str) -> Result<Blob, Problem>;

    /// Opens a line to a git repository.
    async fn connect(&self, address: &str) -> Result<Box<dyn Line>, Problem>;
}

/// What a server answered.
#[async_trait]
pub trait Answer: Send {
    /// The number of the status.
    fn status(&self) -> u16;

    /// The address after redirects, without credentials.
    fn url(&self) -> String;

    /// The first header of this name, in any case.
    fn header(&self, name: &str) -> Option<String>;

    /// The next bytes of the body, at most so many; none at the end.
    async fn read(&mut self, most: usize) -> Result<Vec<u8>, Problem>;
}

/// A line to a repository.
#[async_trait]
pub trait Line: Send {
    /// The next bytes, at most so many; none at the end.
    async fn read(&mut self, most: usize) -> Result<Vec<u8>, Problem>;

    /// Sends all of these.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Problem>;

    /// Says that no more will be written.
    async fn finish(&mut self) -> Result<(), Problem>;
}
